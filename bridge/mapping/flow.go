package mapping

import (
	"errors"
	"fmt"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

// MaxKey is the longest key of a Flow in bytes: it is stamped on the Workflow.
const MaxKey = 1024

// Keys evaluates the keys of a rule's flow control for one event. A value that is no text is taken as a parameter
// is; null or an empty text is an error. The group of concurrency without an expression is the rule's name.
func Keys(rule *bridge.Rule, variables map[string]any) (bridge.FlowKeys, error) {
	var keys bridge.FlowKeys
	var errs []error
	evaluate := func(into *string, annotation string, e bridge.Expression) {
		if e == nil {
			return
		}
		var err error
		if *into, err = key(e, variables); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", annotation, err))
		}
	}
	if c := rule.Flow.Concurrency; c != nil {
		keys.Group = rule.Name
		evaluate(&keys.Group, "concurrency.group", c.Group)
	}
	evaluate(&keys.Order, "ordered", rule.Flow.Ordered)
	if b := rule.Flow.Batch; b != nil {
		evaluate(&keys.Batch, "batch.group", b.Group)
	}
	if len(errs) > 0 {
		return bridge.FlowKeys{}, bridge.Permanent(errors.Join(errs...))
	}
	return keys, nil
}

func key(e bridge.Expression, variables map[string]any) (string, error) {
	result, err := e.Evaluate(variables)
	if err != nil {
		return "", err
	}
	if result == nil {
		return "", fmt.Errorf("%s is null", e)
	}
	text, err := expression.Format(result)
	switch {
	case err != nil:
		return "", err
	case text == "":
		return "", fmt.Errorf("%s is empty", e)
	case len(text) > MaxKey:
		return "", fmt.Errorf("%s has %d bytes, the limit for a key is %d", e, len(text), MaxKey)
	}
	return text, nil
}
