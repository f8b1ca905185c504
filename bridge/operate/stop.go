package operate

import (
	"context"
	"fmt"

	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Stop asks Argo to stop a run, with its exit handlers, and stamps why as AnnotationStopped.
func (o *Operator) Stop(ctx context.Context, run bridge.RunID, why string) error {
	return o.change(ctx, run, func(_ context.Context, d document) error {
		wf := d.wf
		switch {
		case wf.Annotations[bridge.AnnotationStopped] == why:
			return errNothing
		case wf.Status.Fulfilled():
			return bridge.Permanent(fmt.Errorf("%s has ended already: %s", wf.Name, wf.Status.Phase))
		case wf.Spec.Shutdown != "":
			return bridge.Permanent(fmt.Errorf("%s is being stopped already", wf.Name))
		}
		wf.Spec.Shutdown = wfv1.ShutdownStrategyStop
		annotate(wf, bridge.AnnotationStopped, why)
		return nil
	})
}
