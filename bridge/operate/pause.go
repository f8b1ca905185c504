package operate

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v3/workflow/util"
	"github.com/sirupsen/logrus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/watch"
)

// What a suspended step says of how it ended; who did it follows.
const (
	approved = "approved by "
	rejected = "rejected by "
)

// MaxValue is the longest value that may be supplied, in bytes.
const MaxValue = 64 << 10

// Resume lets a run go on at a suspended step, with the values that the step asks for. What is not given takes its default.
func (o *Operator) Resume(ctx context.Context, run bridge.RunID, node string, s bridge.Stamp, values []bridge.Parameter) error {
	return o.answer(ctx, run, node, s.ID, approved+person(s.By), func(d document, n *wfv1.NodeStatus) error {
		if err := supply(d, n, values); err != nil {
			return err
		}
		n.Phase = wfv1.NodeSucceeded
		return nil
	})
}

// Reject fails a suspended step.
func (o *Operator) Reject(ctx context.Context, run bridge.RunID, node string, s bridge.Stamp) error {
	return o.answer(ctx, run, node, s.ID, rejected+person(s.By), func(_ document, n *wfv1.NodeStatus) error {
		n.Phase = wfv1.NodeFailed
		return nil
	})
}

// answer ends the waiting of a step, by an order.
func (o *Operator) answer(ctx context.Context, run bridge.RunID, id, order, message string, end func(d document, n *wfv1.NodeStatus) error) error {
	return o.change(ctx, run, func(_ context.Context, d document) error {
		wf := d.wf
		if bridge.Carried(wf.Annotations, order) {
			return errNothing
		}
		if err := unpack(wf, "resume"); err != nil {
			return err
		}
		n, ok := wf.Status.Nodes[id]
		if !ok || n.Type != wfv1.NodeTypeSuspend {
			return bridge.Permanent(fmt.Errorf("%s has no step of the id %q that waits for somebody", wf.Name, id))
		}
		if err := waits(wf, n); err != nil {
			return err
		}
		if err := end(d, &n); err != nil {
			return err
		}
		n.Message, n.FinishedAt = message, metav1.NewTime(o.now().UTC())
		wf.Status.Nodes.Set(id, n)
		annotate(wf, bridge.AnnotationOrders, bridge.WithCarried(wf.Annotations, order))
		return pack(wf)
	})
}

// waits says why a step does not wait any more.
func waits(wf *wfv1.Workflow, n wfv1.NodeStatus) error {
	switch {
	case strings.HasPrefix(n.Message, approved), strings.HasPrefix(n.Message, rejected):
		return bridge.Permanent(fmt.Errorf("already %s", n.Message))
	case n.Fulfilled():
		return bridge.Permanent(fmt.Errorf("%s does not wait any more: the step has ended, %s", wf.Name, n.Phase))
	case wf.Status.Fulfilled():
		return bridge.Permanent(fmt.Errorf("%s has ended already: %s", wf.Name, wf.Status.Phase))
	case !n.IsActiveSuspendNode():
		return fmt.Errorf("the step of %s does not wait yet", wf.Name)
	}
	return nil
}

// supply fills the values that a step asks for.
func supply(d document, n *wfv1.NodeStatus, values []bridge.Parameter) error {
	inputs, err := inputsOf(d, n.ID)
	if err != nil {
		return err
	}
	given, err := check(inputs, values)
	if err != nil {
		return err
	}
	if n.Outputs == nil {
		return nil
	}
	n.Outputs = n.Outputs.DeepCopy()
	for i, p := range n.Outputs.Parameters {
		value, is := given[p.Name]
		if !is || p.ValueFrom == nil || p.ValueFrom.Supplied == nil {
			continue
		}
		p.Value, p.ValueFrom = wfv1.AnyStringPtr(value), nil
		n.Outputs.Parameters[i] = p
		util.AddParamToGlobalScope(d.wf, quiet(), p)
	}
	if err := util.OverrideOutputParametersWithDefault(n.Outputs); err != nil {
		return bridge.Permanent(err)
	}
	return nil
}

// inputsOf are the values that a step asks for, as people were told.
func inputsOf(d document, node string) ([]bridge.Declared, error) {
	run, err := watch.Read(d.raw)
	if err != nil {
		return nil, bridge.Permanent(err)
	}
	for _, p := range run.Pauses {
		if p.Node == node {
			return p.Inputs, nil
		}
	}
	return nil, nil
}

// check says all that is wrong with the values at once.
func check(inputs []bridge.Declared, values []bridge.Parameter) (map[string]string, error) {
	given := map[string]string{}
	var faults []string
	for _, v := range values {
		i := slices.IndexFunc(inputs, func(d bridge.Declared) bool { return d.Name == v.Name })
		switch {
		case i < 0:
			faults = append(faults, fmt.Sprintf("the step does not ask for %q", cut(v.Name)))
		case len(v.Value) > MaxValue:
			faults = append(faults, fmt.Sprintf("%s has %d bytes, the limit for a value is %d (64 KiB)", v.Name, len(v.Value), MaxValue))
		case len(inputs[i].Enum) > 0 && !slices.Contains(inputs[i].Enum, v.Value):
			faults = append(faults, fmt.Sprintf("%s cannot be %q: it is one of %s", v.Name, cut(v.Value), cut(strings.Join(inputs[i].Enum, ", "))))
		}
		given[v.Name] = v.Value
	}
	for _, input := range inputs {
		if _, is := given[input.Name]; is {
			continue
		}
		if input.Default == nil {
			faults = append(faults, input.Name+" is missing")
			continue
		}
		given[input.Name] = *input.Default
	}
	if len(faults) > 0 {
		return nil, bridge.Permanent(fmt.Errorf("%s", strings.Join(faults, "; ")))
	}
	return given, nil
}

// person is somebody's name in one short line.
func person(by string) string { return cut(strings.Join(strings.Fields(by), " ")) }

func cut(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// quiet is a logger for Argo's library that writes nothing.
func quiet() *logrus.Entry {
	l := logrus.New()
	l.SetOutput(io.Discard)
	return logrus.NewEntry(l)
}
