package flow

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

const (
	// restartPause is how long the bridges have to work between two restarts.
	restartPause = 4 * time.Second
	// killPause is the same after a kill: the lease of the one that led lasts 15 seconds, and the events that it
	// was handling go to another after 30.
	killPause = 45 * time.Second
)

// restarts carries out the restarts that schedules ask for: one at a time, and not more than that the bridges get
// anything done. What comes too early is passed over.
type restarts struct {
	bridges []*replica
	deadly  bool // bridges may be killed, and not only stopped
	asked   chan step

	stops, kills int
}

func (r *restarts) ask(s step) {
	select {
	case r.asked <- s:
	default:
	}
}

// run carries out until ctx ends.
func (r *restarts) run(ctx context.Context) error {
	var pause, killed time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-r.asked:
			if time.Now().Before(pause) {
				continue
			}
			signal := syscall.SIGTERM
			if s.kill && r.deadly && time.Since(killed) > killPause {
				signal, killed = syscall.SIGKILL, time.Now()
			}
			if err := r.again(ctx, r.bridges[s.pick%len(r.bridges)], signal); err != nil && ctx.Err() == nil {
				return err
			}
			pause = time.Now().Add(restartPause)
		}
	}
}

func (r *restarts) again(ctx context.Context, b *replica, by syscall.Signal) error {
	if by == syscall.SIGKILL {
		r.kills++
	} else {
		r.stops++
	}
	say("%s: %s", b.name, by)
	if err := errors.Join(b.end(by), b.start()); err != nil {
		return fmt.Errorf("restart %s: %w", b.name, err)
	}
	return until(ctx, time.Minute, b.name+" is ready", b.ready)
}
