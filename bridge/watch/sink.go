package watch

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
)

const (
	// margin is how far the watermark stays behind the clock: clocks differ, and a controller
	// writes a run's end some time after the end. What lies within it is reported again after a
	// restart, which the outbox makes harmless.
	margin = 5 * time.Minute
	// saveEvery bounds the writes of the watermark.
	saveEvery = 10 * time.Second
)

// A sink receives the watch's events from the reflector. It stores nothing.
type sink struct {
	*Watcher
	ctx context.Context // of Run; the reflector's interface has no other way
}

func (s *sink) Add(obj any) error           { return s.Update(obj) }
func (s *sink) Replace([]any, string) error { return nil }
func (s *sink) Resync() error               { return nil }

func (s *sink) Update(obj any) error {
	if run, ok := s.read(obj); ok {
		s.report(s.ctx, run)
	}
	return nil
}

// Delete reports the last state of a run that was deleted right after its end.
func (s *sink) Delete(obj any) error {
	run, ok := s.read(obj)
	if !ok {
		return nil
	}
	if run.Completed() {
		s.report(s.ctx, run)
	}
	s.forget(run.UID)
	return nil
}

// UpdateResourceVersion is called after every event and every bookmark, which the API server sends
// about once a minute: all that happened before has been reported.
func (s *sink) UpdateResourceVersion(version string) {
	if s.ctx.Err() == nil && s.Now().Sub(s.saved) >= saveEvery {
		s.save(s.ctx, version)
	}
}

// save moves the watermark on: all that happened up to a version has been reported.
func (w *Watcher) save(ctx context.Context, version string) {
	now := w.Now()
	mark := Mark{now.Add(-margin), version}
	if mark.Since.Before(w.mark.Since) {
		mark.Since = w.mark.Since
	}
	if err := w.Watermark.Save(ctx, mark); err != nil {
		w.Log.Warn("save the watermark; more runs than needed are looked at after a restart", zap.Error(err))
		return
	}
	w.saved = now
}

// loadWatermark reads the watermark. On the very first start it is now: runs that ended before the
// bridge was installed are nobody's alert.
func (w *Watcher) loadWatermark(ctx context.Context) error {
	mark, err := w.Watermark.Load(ctx)
	if err != nil {
		return fmt.Errorf("load the watermark: %w", err)
	}
	if mark.Since.IsZero() {
		mark.Since = w.Now().Truncate(time.Second)
		if err := w.Watermark.Save(ctx, mark); err != nil {
			return fmt.Errorf("save the watermark: %w", err)
		}
	}
	w.mark = mark
	return nil
}
