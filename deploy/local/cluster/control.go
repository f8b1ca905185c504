package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

const (
	// startLimit bounds how long a component may take until it is ready; on two
	// cores the slowest takes 5 s.
	startLimit = 2 * time.Minute
	// stopGrace is the time a component has to end by itself. etcd's data are
	// safe from a kill: what it acknowledged, the kernel has.
	stopGrace = 2 * time.Second
)

// start runs a component unless it runs already, and waits until it is ready.
func start(ctx context.Context, d Dir, s *State, executable, component string) error {
	r, err := loadRecord(d, component)
	if errors.Is(err, errNotRunning) {
		r, err = launch(d, executable, component, s.ParentPID)
	}
	if err != nil {
		return err
	}
	return waitReady(ctx, d, s, component, r)
}

// Start runs one component of an existing cluster, under the address it had
// before, and waits until it is ready.
func Start(ctx context.Context, d Dir, executable, component string) error {
	return change(d, component, func(d Dir, s *State) error {
		ctx, cancel := context.WithTimeout(ctx, startLimit)
		defer cancel()
		return start(ctx, d, s, executable, component)
	})
}

// Stop ends one component and leaves the others running.
func Stop(d Dir, component string) error {
	return change(d, component, func(d Dir, _ *State) error { return stop(d, component) })
}

func change(d Dir, component string, act func(Dir, *State) error) error {
	if err := CheckComponent(component); err != nil {
		return err
	}
	state, err := LoadState(d)
	if err != nil {
		return fmt.Errorf("no cluster in %s: %w", d, err)
	}
	if d, err = d.absolute(); err != nil {
		return err
	}
	unlock, err := lock(d)
	if err != nil {
		return err
	}
	defer unlock()
	return act(d, state)
}

// stop ends the process of a component if it runs, and forgets it.
func stop(d Dir, component string) error {
	r, err := loadRecord(d, component)
	switch {
	case errors.Is(err, errNotRunning):
	case err != nil:
		return err
	default:
		if err := r.end(stopGrace); err != nil {
			return fmt.Errorf("stop %s: %w", component, err)
		}
	}
	if err := os.Remove(d.record(component)); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("forget process of %s: %w", component, err)
	}
	return nil
}

// Down ends every component. With purge the cluster's files go too, and with
// them all data. A cluster that does not exist is down already.
func Down(d Dir, purge bool) error {
	if _, err := LoadState(d); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	d, err := d.absolute()
	if err != nil {
		return err
	}
	unlock, err := lock(d)
	if err != nil {
		return err
	}
	defer unlock()
	var faults []error
	for _, component := range slices.Backward(Components()) {
		faults = append(faults, stop(d, component))
	}
	if err := errors.Join(faults...); err != nil || !purge {
		return err
	}
	return d.purge()
}
