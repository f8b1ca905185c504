package flow

import (
	"context"
	"encoding/json"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// labelCompleted is what Argo's controller puts on a Workflow that has ended.
const labelCompleted = "workflows.argoproj.io/completed"

// A controller is as much of Argo's as the promises need: it ends runs.
type controller struct {
	workflows dynamic.ResourceInterface
	stopped   chan string // names of runs that somebody has stopped
	failed    func(error)
}

// stoppers is how many stopped runs are ended at once.
const stoppers = 4

// run ends the runs that are stopped, until ctx ends.
func (c *controller) run(ctx context.Context) {
	for range stoppers {
		go func() {
			for {
				select {
				case <-ctx.Done():
					return
				case name := <-c.stopped:
					if err := c.end(ctx, name, "Failed"); err != nil && ctx.Err() == nil {
						c.failed(err)
					}
				}
			}
		}()
	}
}

// see hears of every state of every run.
func (c *controller) see(s change) {
	if s.shutdown != "" && !s.done {
		c.stopped <- s.name
	}
}

// end ends a run in a phase. One that is gone is no fault.
func (c *controller) end(ctx context.Context, name, phase string) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"labels": map[string]string{labelCompleted: "true", "workflows.argoproj.io/phase": phase}},
		"status":   map[string]any{"phase": phase, "finishedAt": metav1.NewTime(time.Now())},
	})
	if err != nil {
		return err
	}
	_, err = c.workflows.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (c *controller) delete(ctx context.Context, name string) error {
	err := c.workflows.Delete(ctx, name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
