// Package mapping turns the variables of an event into what is set on a Workflow: its parameters,
// and the labels, entrypoint, service account and priority of the annotations. It is pure.
//
// Every error is permanent (see [bridge.Permanent]): the same event gives the same values again. All
// faults are reported at once.
package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

// MaxValue is the longest value of a parameter in bytes. A Workflow must fit into etcd's 1 MB, and
// Argo moves longer container arguments into files.
const MaxValue = 64 << 10

// ErrTooLarge says that a value is longer than MaxValue.
var ErrTooLarge = errors.New("too large")

// Parameters returns the parameters that the rule sets, in its order. A string is taken as it is,
// anything else as JSON. Null means not set, which is an error where the template has no default.
func Parameters(rule *bridge.Rule, variables map[string]any) ([]bridge.Parameter, error) {
	var parameters []bridge.Parameter
	var errs []error
	for _, p := range rule.Parameters {
		value, set, err := parameter(p, variables)
		if err != nil {
			errs = append(errs, fmt.Errorf("parameter %q: %w", p.Name, err))
			continue
		}
		if set {
			parameters = append(parameters, bridge.Parameter{Name: p.Name, Value: value})
		}
	}
	if len(errs) > 0 {
		return nil, bridge.Permanent(errors.Join(errs...))
	}
	return parameters, nil
}

func parameter(p bridge.ParameterRule, variables map[string]any) (value string, set bool, err error) {
	result, err := p.Value.Evaluate(variables)
	if err != nil {
		return "", false, err
	}
	if result == nil {
		if p.Default {
			return "", false, nil
		}
		return "", false, fmt.Errorf("%s is null and the template has no default", p.Value)
	}
	value, err = expression.Format(result)
	if err != nil {
		return "", false, err
	}
	return value, true, check(p, value)
}

func check(p bridge.ParameterRule, value string) error {
	if len(value) > MaxValue {
		return tooLarge{fmt.Errorf("%s has %d bytes, the limit for a value is %d (64 KiB)", p.Value, len(value), MaxValue)}
	}
	if len(p.Enum) > 0 && !slices.Contains(p.Enum, value) {
		return fmt.Errorf("%s is %q, the template allows only %s", p.Value, abbreviate(value), strings.Join(p.Enum, ", "))
	}
	return nil
}

type tooLarge struct{ error }

func (tooLarge) Is(target error) bool { return target == ErrTooLarge }

// abbreviate cuts a value for a message.
func abbreviate(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
