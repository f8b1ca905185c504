package mapping

import (
	"errors"
	"fmt"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

// MaxKey is the longest key of a Flow in bytes: an object's name with its bucket fits several times
// (https://cloud.google.com/storage/docs/objects#naming), and the Workflow bears keys as annotations.
const MaxKey = 4 << 10

// Keys evaluates the expressions of the rule's Flow for one event: the concurrency group, which is the rule's name
// where the annotation names none, the key of `ordered` and the group of the batch. A string is taken as it is,
// anything else as JSON. Null is an error, as is the empty text except for a batch: a key that says nothing would
// tie events together that have nothing in common.
func Keys(rule *bridge.Rule, variables map[string]any) (bridge.FlowKeys, error) {
	k := keyReader{variables: variables}
	var keys bridge.FlowKeys
	if c := rule.Flow.Concurrency; c != nil {
		keys.Group = rule.Name
		if c.Group != nil {
			keys.Group = k.filled("concurrency.group", c.Group)
		}
	}
	if rule.Flow.Ordered != nil {
		keys.Order = k.filled("ordered", rule.Flow.Ordered)
	}
	if b := rule.Flow.Batch; b != nil && b.Group != nil {
		keys.Batch = k.key("batch.group", b.Group)
	}
	if len(k.errs) > 0 {
		return bridge.FlowKeys{}, bridge.Permanent(errors.Join(k.errs...))
	}
	return keys, nil
}

// A keyReader evaluates keys and collects what is wrong with them.
type keyReader struct {
	variables map[string]any
	errs      []error
}

func (k *keyReader) fail(name, format string, arguments ...any) string {
	k.errs = append(k.errs, fmt.Errorf(name+": "+format, arguments...))
	return ""
}

// filled is a key that must not be empty.
func (k *keyReader) filled(name string, e bridge.Expression) string {
	before := len(k.errs)
	value := k.key(name, e)
	if value == "" && len(k.errs) == before {
		return k.fail(name, "%s is empty", e)
	}
	return value
}

func (k *keyReader) key(name string, e bridge.Expression) string {
	result, err := e.Evaluate(k.variables)
	if err != nil {
		return k.fail(name, "%w", err)
	}
	if result == nil {
		return k.fail(name, "%s is null", e)
	}
	value, err := expression.Format(result)
	if err != nil {
		return k.fail(name, "%w", err)
	}
	if len(value) > MaxKey {
		return k.fail(name, "%s has %d bytes, the limit for a key is %d (4 KiB)", e, len(value), MaxKey)
	}
	return value
}
