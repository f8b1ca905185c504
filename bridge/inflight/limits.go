package inflight

import (
	"errors"
	"fmt"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Limits bound the bridge's Workflows that have not ended; -1 is no bound.
type Limits struct {
	// Workflows is for the whole install; default 5000: a few kilobytes each in etcd, and in the memory
	// of Argo's controller.
	Workflows int `yaml:"workflows"`
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
	if l.WorkflowsPerTemplate == 0 {
		l.WorkflowsPerTemplate = 1000
	}
	return l
}

// Validate names every field that cannot hold.
func (l Limits) Validate() error {
	var errs []error
	for field, limit := range map[string]int{"workflows": l.Workflows, "workflowsPerTemplate": l.WorkflowsPerTemplate} {
		if limit < Unlimited {
			errs = append(errs, fmt.Errorf("%s: %d is no number of workflows (-1 is no limit)", field, limit))
		}
	}
	return errors.Join(errs...)
}

// A Gate says whether another Workflow may be made.
type Gate struct {
	Tracker *Tracker
	Limits  Limits
	// Margin is the part of each limit that is kept for the leader, who alone decides there: the others
	// do not know what their peers make at the same moment.
	Margin int
}

// Enter counts the Workflow that is about to be made, or says in detail which limit is reached. Only the
// leader gives out the last part of a limit.
func (g *Gate) Enter(s bridge.Submission, leader bool) (ok bool, detail string) {
	ok = g.Tracker.enter(s, func(ofTemplate, all int) bool {
		switch per := g.Limits.WorkflowsPerTemplate; {
		case g.reached(g.Limits.Workflows, all, leader):
			detail = fmt.Sprintf("%d of at most %d workflows are in flight (limits.workflows)", all, g.Limits.Workflows)
		case g.reached(per, ofTemplate, leader):
			detail = fmt.Sprintf("%d of at most %d workflows of %s are in flight (limits.workflowsPerTemplate)", ofTemplate, per, s.Template)
		}
		return detail == ""
	})
	return ok, detail
}

// Leave takes back what Enter has counted, when the Workflow could not be made.
func (g *Gate) Leave(s bridge.Submission) { g.Tracker.leave(s) }

// Seen says whether the Workflow is in flight, or was seen within the last ten minutes.
func (g *Gate) Seen(s bridge.Submission) bool { return g.Tracker.Seen(s.Namespace + "/" + s.Name) }

// Made notes that the Workflow is there.
func (g *Gate) Made(s bridge.Submission) { g.Tracker.See(s.Namespace + "/" + s.Name) }

func (g *Gate) reached(limit, count int, leader bool) bool {
	if limit == Unlimited {
		return false
	}
	if !leader {
		limit -= g.Margin
	}
	return count >= limit
}
