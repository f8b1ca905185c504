package flow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// scratch holds the data of a run, and the logs of the bridges.
var scratch string

// TestMain is also the main of the bridges: each is this binary, called again.
func TestMain(m *testing.M) {
	if config := os.Getenv(configVariable); config != "" {
		if err := runBridge(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) (code int) {
	var err error
	if scratch, err = os.MkdirTemp("", "argo-bridge-flow"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { cleanUp(code) }()
	return m.Run()
}

// cleanUp removes everything but the logs of a failed run.
func cleanUp(code int) {
	downCluster()
	if code == 0 && os.Getenv("FLOW_KEEP_LOGS") == "" {
		_ = os.RemoveAll(scratch)
		return
	}
	_ = os.RemoveAll(filepath.Join(scratch, "nats"))
	fmt.Fprintf(os.Stderr, "the logs of the bridges are in %s\n", scratch)
}

var began = time.Now()

// say shows a line at once: t.Log would keep it until the end.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "flow %6.1fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
}

// until polls until it holds; the error says what did not.
func until(ctx context.Context, bound time.Duration, what string, holds func() error) error {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := holds()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("not within %s: %s: %w", bound, what, err)
			}
			return ctx.Err()
		case <-tick.C:
		}
	}
}
