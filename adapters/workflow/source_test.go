package workflow

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A world is all that a source needs; each part can be told what to say.
type world struct {
	wants     map[string]bool // by event name
	startErr  error
	publish   func(e bridge.Event) error
	asked     int // for the event of a run
	published []string
	refused   []string
}

func (w *world) Wants(f bridge.Facts) bool { return w.wants[f.Name] }

func (w *world) Start(context.Context, bridge.Run) (*bridge.Event, error) {
	w.asked++
	return &push, w.startErr
}

func (w *world) Publish(_ context.Context, e bridge.Event) error {
	if w.publish != nil {
		if err := w.publish(e); err != nil {
			return err
		}
	}
	w.published = append(w.published, e.Type)
	return nil
}

func (w *world) Received(string, string, time.Duration) {}
func (w *world) Refused(_, reason string)               { w.refused = append(w.refused, reason) }

func (w *world) source() *Source {
	return &Source{Rules: w, Starts: w, Publisher: w, Observer: w, Log: zap.NewNop()}
}

func TestAnEndIsPublishedForThoseWhoWaitForIt(t *testing.T) {
	t.Parallel()
	all := map[string]bool{"workflow.succeeded": true, "workflow.failed": true, "workflow.completed": true}
	for name, test := range map[string]struct {
		run   bridge.Run
		wants map[string]bool
		want  string
	}{
		"nobody waits":                        {ended("Succeeded"), nil, ""},
		"a run that goes on":                  {ended("Running"), all, ""},
		"a success is a success and an end":   {ended("Succeeded"), all, "succeeded completed"},
		"a failure is a failure and an end":   {ended("Failed"), all, "failed completed"},
		"an error is a failure and an end":    {ended("Error"), all, "failed completed"},
		"only the outcome that is waited for": {ended("Error"), map[string]bool{"workflow.completed": true}, "completed"},
		"another outcome":                     {ended("Error"), map[string]bool{"workflow.succeeded": true}, ""},
		"a run of no template":                {ended("Succeeded", func(r *bridge.Run) { r.Template = bridge.Template{} }), all, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{wants: test.wants}
			if err := w.source().Changed(t.Context(), test.run); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, strings.ReplaceAll(strings.Join(w.published, " "), TypePrefix, "")); diff != "" {
				t.Error(diff)
			}
			if w.asked > 0 && test.want == "" {
				t.Error("an end that nobody waits for has cost a look-up")
			}
		})
	}
}

func TestAnEndIsReportedOnlyWhenItsEventIsStored(t *testing.T) {
	t.Parallel()
	run, wants := ended("Succeeded"), map[string]bool{"workflow.succeeded": true, "workflow.completed": true}
	down := errors.New("the bus is down")
	w := &world{wants: wants, startErr: down}
	if err := w.source().Changed(t.Context(), run); !errors.Is(err, down) || len(w.published) > 0 {
		t.Errorf("the event of the run cannot be read: %v, published %v", err, w.published)
	}
	w = &world{wants: wants, publish: func(e bridge.Event) error {
		if strings.HasSuffix(e.Type, "succeeded") {
			return down
		}
		return nil
	}}
	if err := w.source().Changed(t.Context(), run); !errors.Is(err, down) {
		t.Errorf("an event is not stored: %v", err)
	}
	w = &world{wants: wants, publish: func(bridge.Event) error { return bridge.Permanent(errors.New("too large")) }}
	if err := w.source().Changed(t.Context(), run); err != nil || len(w.refused) != 2 {
		t.Errorf("an event that the bus never takes holds up the watch: %v, %v", err, w.refused)
	}
}
