// Package mapping turns the variables of an event into what is set on a Workflow: its parameters,
// and the labels, entrypoint, service account and priority of the annotations. It is pure.
//
// Every error is permanent (see [bridge.Permanent]): the same event gives the same values again. All
// faults are reported at once.
package mapping

import (
	"errors"
	"fmt"
	"maps"
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
// given are values that a person has given with a command; they take the place of the rule's own, and must be
// of parameters that the template declares.
func Parameters(rule *bridge.Rule, variables map[string]any, given map[string]string) ([]bridge.Parameter, error) {
	parameters, errs := arguments(rule, given)
	for _, p := range rule.Parameters {
		if _, by := given[p.Name]; by {
			continue
		}
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

// arguments are the parameters that a person has given, by name.
func arguments(rule *bridge.Rule, given map[string]string) (parameters []bridge.Parameter, errs []error) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		i := slices.IndexFunc(rule.Declared, func(d bridge.Declared) bool { return d.Name == name })
		if i < 0 {
			errs = append(errs, fmt.Errorf("parameter %q: the template declares none of that name; it declares %s", abbreviate(name), names(rule.Declared)))
			continue
		}
		value := given[name]
		if err := checkValue("the given value", value, rule.Declared[i].Enum); err != nil {
			errs = append(errs, fmt.Errorf("parameter %q: %w", name, err))
			continue
		}
		parameters = append(parameters, bridge.Parameter{Name: name, Value: value})
	}
	return parameters, errs
}

func names(declared []bridge.Declared) string {
	if len(declared) == 0 {
		return "none"
	}
	all := make([]string, len(declared))
	for i, d := range declared {
		all[i] = d.Name
	}
	return strings.Join(all, ", ")
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
	return checkValue(p.Value.String(), value, p.Enum)
}

// checkValue holds a value against what may be; source is what gave it.
func checkValue(source, value string, enum []string) error {
	if len(value) > MaxValue {
		return tooLarge{fmt.Errorf("%s has %d bytes, the limit for a value is %d (64 KiB)", source, len(value), MaxValue)}
	}
	if len(enum) > 0 && !slices.Contains(enum, value) {
		return fmt.Errorf("%s is %q, the template allows only %s", source, abbreviate(value), strings.Join(enum, ", "))
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
