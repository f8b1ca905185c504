package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// pulseEvery is how often a message is stored to see whether that works.
	pulseEvery = 5 * time.Second
	// readyWithin is how long storing may fail until the bridge calls itself not ready.
	readyWithin = 5 * time.Second
	// giveUpAfter is how long the embedded server may store nothing before the process ends, to be started
	// anew.
	giveUpAfter = 30 * time.Second
)

// A pulse remembers since when the bus has stored nothing.
type pulse struct {
	mu     sync.Mutex
	since  time.Time
	err    error
	broken bool // for as long as the server runs
}

// note takes the outcome of one attempt.
func (p *pulse) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.broken:
	case err == nil:
		p.since, p.err = time.Time{}, nil
	case p.since.IsZero():
		p.since, p.err = time.Now(), err
	}
}

// hear listens to the embedded server's log: after a write error a stream stores nothing any more until the
// server is started anew, and nothing but the log says so.
func (p *pulse) hear(line string) {
	if !strings.Contains(line, "Critical write error") {
		return
	}
	p.note(errors.New(line))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = true
}

// failing returns for how long nothing was stored, and the first error.
func (p *pulse) failing() (time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		return 0, nil
	}
	return time.Since(p.since), p.err
}

// Pulse stores a message now and then until ctx ends, so that Ready knows whether the bus stores any. It returns
// an error when the embedded server has stored nothing for half a minute.
func (b *Bus) Pulse(ctx context.Context) error {
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		_, err := b.js.Publish(ctx, pulseSubject, nil, jetstream.WithRetryAttempts(0))
		if ctx.Err() != nil {
			return nil //nolint:nilerr // stopped, as it should
		}
		b.pulse.note(err)
		failing, err := b.pulse.failing()
		if err != nil {
			b.log.Error("the bus stores nothing", zap.Duration(bridge.LogTook, failing), zap.Error(err))
		}
		if failing > giveUpAfter && !b.External() {
			return fmt.Errorf("the embedded bus has stored nothing for %s, is the disk full? (%s): %w",
				failing.Round(time.Second), b.config.DataDir, err)
		}
	}
}
