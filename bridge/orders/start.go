package orders

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/mapping"
)

// start makes one Workflow of a template.
func (x *errand) start(ctx context.Context) (string, error) {
	t := bridge.ParseTemplate(x.order.Template)
	if err := x.allowed(ctx, t, t); err != nil {
		return "", err
	}
	declared, ok := x.Templates.Declared(t)
	if !ok {
		return "", bridge.Permanent(fmt.Errorf("there is no template %s that can be started from here", t))
	}
	parameters, err := arguments(declared, x.order.Parameters)
	if err != nil {
		return "", err
	}
	result, err := x.Dispatcher.Begin(ctx, x.event, x.facts, t, parameters)
	if err != nil {
		return "", err
	}
	x.made = &result
	_, name, _ := strings.Cut(result.Workflow, "/")
	return t.Name + " is started as " + name, nil
}

// arguments checks what is given against what the template declares, and says all that is wrong at once.
func arguments(declared []bridge.Declared, given []bridge.Parameter) (parameters []bridge.Parameter, err error) {
	values := map[string]string{}
	var faults []string
	for _, p := range given {
		if _, again := values[p.Name]; !again && !slices.ContainsFunc(declared, named(p.Name)) {
			faults = append(faults, unknown(p.Name, declared))
		}
		values[p.Name] = p.Value // the last of two counts
	}
	for _, d := range declared {
		value, is := values[d.Name]
		switch fault := wrong(d, value); {
		case is && fault != "":
			faults = append(faults, fault)
		case is:
			parameters = append(parameters, bridge.Parameter{Name: d.Name, Value: value})
		case d.Default == nil:
			faults = append(faults, fmt.Sprintf("%s is missing%s", d.Name, about(d)))
		}
	}
	if len(faults) > 0 {
		return nil, bridge.Permanent(fmt.Errorf("%s", strings.Join(faults, "; ")))
	}
	return parameters, nil
}

func named(name string) func(bridge.Declared) bool {
	return func(d bridge.Declared) bool { return d.Name == name }
}

// unknown is the fault of a parameter that is not declared.
func unknown(name string, declared []bridge.Declared) string {
	var names []string
	for _, d := range declared {
		names = append(names, d.Name)
	}
	fault := fmt.Sprintf("the template has no parameter %q", brief(name))
	switch near := expression.Nearest(name, names); {
	case near != "":
		return fault + ": did you mean " + near + "?"
	case len(names) == 0:
		return fault + ": it has none"
	case len(names) > 20:
		return fault
	}
	return fault + ": it has " + list(names)
}

// wrong says what is wrong with a value; empty: nothing.
func wrong(d bridge.Declared, value string) string {
	switch {
	case len(value) > mapping.MaxValue:
		return fmt.Sprintf("%s has %d bytes, the limit for a value is %d (64 KiB)", d.Name, len(value), mapping.MaxValue)
	case len(d.Enum) > 0 && !slices.Contains(d.Enum, value):
		return fmt.Sprintf("%s cannot be %q: it is one of %s", d.Name, brief(value), brief(strings.Join(d.Enum, ", ")))
	}
	return ""
}

// about is what a parameter is for.
func about(d bridge.Declared) string {
	if d.Description == "" {
		return ""
	}
	return " (" + brief(strings.Join(strings.Fields(d.Description), " ")) + ")"
}

// brief cuts what somebody else has written for a message.
func brief(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
