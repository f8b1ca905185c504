package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Rules says which ends somebody waits for.
type Rules interface {
	// Wants says whether an event with these facts may start some rule. It is cheap: it is asked at the
	// end of every run.
	Wants(f bridge.Facts) bool
}

// Starts finds the event that started a run.
type Starts interface {
	// Start returns the event; nil when nothing started the run, or the event is not kept any more. An error is
	// transient.
	Start(ctx context.Context, run bridge.Run) (*bridge.Event, error)
}

// A Source publishes the ends that somebody waits for; it is a handler of package watch. All fields are needed.
type Source struct {
	Rules     Rules
	Starts    Starts
	Publisher bridge.Publisher
	Observer  bridge.Observer
	Log       *zap.Logger
}

// Changed returns nil when all events of the run are stored that some rule may want: none while it goes on, and
// none of an end that nobody waits for. Called again with the same run it publishes the same events, which
// the bus knows.
func (s *Source) Changed(ctx context.Context, run bridge.Run) error {
	wanted := s.wanted(run)
	if len(wanted) == 0 {
		return nil
	}
	start, err := s.Starts.Start(ctx, run)
	if err != nil {
		return fmt.Errorf("find the event that started %s/%s: %w", run.Namespace, run.Name, err)
	}
	var errs []error
	for _, outcome := range wanted {
		errs = append(errs, s.publish(ctx, run, outcome, start))
	}
	return errors.Join(errs...)
}

func (s *Source) wanted(run bridge.Run) (wanted []bridge.Outcome) {
	for _, outcome := range run.Outcomes() {
		if f, ok := Outline(run, outcome); ok && s.Rules.Wants(f) {
			wanted = append(wanted, outcome)
		}
	}
	return wanted
}

func (s *Source) publish(ctx context.Context, run bridge.Run, outcome bridge.Outcome, start *bridge.Event) error {
	began := time.Now()
	e, err := Translate(run, outcome, start)
	if err == nil {
		err = s.Publisher.Publish(ctx, e)
	}
	if bridge.IsPermanent(err) {
		// Trying again would hold up the watch for ever.
		s.Observer.Refused(source, "too-large")
		s.Log.Error("the end of a run starts nothing: the bus does not take its event",
			zap.String(bridge.LogWorkflow, run.Namespace+"/"+run.Name), zap.String(bridge.LogEventID, e.ID), zap.Error(err))
		return nil
	}
	if err != nil {
		return err
	}
	s.Observer.Received(source, e.Type, time.Since(began))
	return nil
}
