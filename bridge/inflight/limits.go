package inflight

import (
	"errors"
	"fmt"
)

// Limits bound the bridge's Workflows that have not ended; -1 is no bound.
type Limits struct {
	// Workflows is for the whole install; default 5000: a few kilobytes each in etcd, and in the memory
	// of Argo's controller.
	Workflows int `yaml:"workflows"`
	// WorkflowsPerNamespace is for the Workflows of each namespace; default: none but the others.
	WorkflowsPerNamespace int `yaml:"workflowsPerNamespace"`
	// WorkflowsPerTemplate is for each template; default 1000.
	WorkflowsPerTemplate int `yaml:"workflowsPerTemplate"`
}

// Unlimited is a limit that is none.
const Unlimited = -1

// Defaults returns l with every unset field at its default.
func (l Limits) Defaults() Limits {
	if l.Workflows == 0 {
		l.Workflows = 5000
	}
	if l.WorkflowsPerNamespace == 0 {
		l.WorkflowsPerNamespace = Unlimited
	}
	if l.WorkflowsPerTemplate == 0 {
		l.WorkflowsPerTemplate = 1000
	}
	return l
}

// Validate names every field that cannot hold.
func (l Limits) Validate() error {
	var errs []error
	for field, limit := range map[string]int{
		"workflows": l.Workflows, "workflowsPerNamespace": l.WorkflowsPerNamespace, "workflowsPerTemplate": l.WorkflowsPerTemplate,
	} {
		if limit < Unlimited {
			errs = append(errs, fmt.Errorf("%s: %d is no number of workflows (-1 is no limit)", field, limit))
		}
	}
	return errors.Join(errs...)
}
