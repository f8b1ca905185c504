package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

// A stage is when a part stops: what takes events in first, what carries them last.
type stage int

const (
	stageHTTP stage = iota
	stagePull
	stageDispatch
	stageWatch
	stageNotify
	stageBackground
	stages
)

// stopBound is how long all parts together may take to stop.
const stopBound = 25 * time.Second

// A lifecycle owns the goroutines of the running parts.
type lifecycle struct {
	log    *zap.Logger
	failed chan error // the first part that ended by itself
	parts  [stages][]*part
}

type part struct {
	name string
	stop context.CancelFunc
	done chan struct{}
}

func newLifecycle(log *zap.Logger) *lifecycle {
	return &lifecycle{log: log, failed: make(chan error, 1)}
}

// start runs a part until its stage is stopped. A part that returns before is a failure of the whole.
func (l *lifecycle) start(s stage, name string, run func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &part{name: name, stop: cancel, done: make(chan struct{})}
	l.parts[s] = append(l.parts[s], p)
	go func() {
		defer close(p.done)
		err := run(ctx)
		if ctx.Err() == nil {
			select {
			case l.failed <- fmt.Errorf("%s has ended: %w", name, orUnknown(err)):
			default:
			}
		}
	}()
}

func orUnknown(err error) error {
	if err == nil {
		return fmt.Errorf("without an error")
	}
	return err
}

// stop stops all parts, stage by stage, and waits for them within the bound.
func (l *lifecycle) stop() {
	deadline := time.Now().Add(stopBound)
	for _, parts := range l.parts {
		var waiting sync.WaitGroup
		for _, p := range parts {
			p.stop()
			waiting.Go(func() {
				select {
				case <-p.done:
				case <-time.After(time.Until(deadline)):
					l.log.Warn("a part did not stop in time", zap.String("part", p.name))
				}
			})
		}
		waiting.Wait()
	}
}
