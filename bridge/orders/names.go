package orders

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Names finds what people name without saying of which namespace it is, among what they may see. fault says for people what
// is wrong with a name, such as that several bear it; an error is to be tried again.
type Names interface {
	// Template finds a template. What is found may be a ClusterWorkflowTemplate, whose name is bare.
	Template(ctx context.Context, f bridge.Facts, name string) (t bridge.Template, fault string, err error)
	// Run finds a Workflow.
	Run(ctx context.Context, f bridge.Facts, name string) (run bridge.RunID, fault string, err error)
}

// resolve finds what the order names without a namespace.
func (x *errand) resolve(ctx context.Context) (err error) {
	if x.Names == nil {
		return nil
	}
	fault := ""
	switch {
	case x.order.Run.Name != "" && x.order.Run.Namespace == "":
		x.order.Run, fault, err = x.Names.Run(ctx, x.facts, x.order.Run.Name)
	case x.order.Template != "" && bridge.ParseTemplate(x.order.Template).Cluster():
		var t bridge.Template
		t, fault, err = x.Names.Template(ctx, x.facts, x.order.Template)
		x.order.Template = t.String()
	}
	if err == nil && fault != "" {
		return bridge.Permanent(errors.New(fault))
	}
	return err
}

// step finds the suspended step that the order is about: the one with its id, or, as people name it, by its path or the
// end of that; without a name, the only one that waits.
func (x *errand) step(run bridge.Run) (node string, err error) {
	var open []bridge.Pause
	for _, p := range run.Pauses {
		switch {
		case p.Node == x.order.Node:
			return p.Node, nil
		case p.Open() && (x.order.Node == "" || p.Path == x.order.Node || strings.HasSuffix(p.Path, "/ "+x.order.Node)):
			open = append(open, p)
		}
	}
	switch {
	case len(open) == 1:
		return open[0].Node, nil
	case len(open) > 1:
		return "", bridge.Permanent(fmt.Errorf("%s waits at several steps: name one of %s", run.Name, list(paths(open))))
	case x.order.Node == "":
		return "", bridge.Permanent(fmt.Errorf("%s waits at no step", run.Name))
	}
	return x.order.Node, nil // the operator says what is wrong with it
}

func paths(pauses []bridge.Pause) (all []string) {
	for _, p := range pauses {
		all = append(all, brief(p.Path))
	}
	return all
}
