package cluster

import (
	"context"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

const (
	outageInterval = 500 * time.Millisecond
	// outageChecks is how many checks in a row make an outage.
	outageChecks = 3
)

// ReplaceAfterOutage replaces this process by a fresh one of the same number
// when the API server has been away and is back. After an outage informers try
// again at intervals of up to a minute; a controller in a real cluster loses
// its lease meanwhile and is restarted too. The watch lasts until ctx is done.
func ReplaceAfterOutage(ctx context.Context, s *State) error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	go func() {
		if !awaitOutage(ctx, s) {
			return
		}
		fmt.Fprintln(os.Stderr, "the API server is back: starting anew")
		err := syscall.Exec(executable, os.Args, os.Environ())
		fmt.Fprintln(os.Stderr, "start anew:", err)
	}()
	return nil
}

// awaitOutage returns true after the end of an outage, and false when ctx is done.
func awaitOutage(ctx context.Context, s *State) bool {
	ticker := time.NewTicker(outageInterval)
	defer ticker.Stop()
	for failures := 0; ; {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
		switch {
		case !listens(s.Ports[APIServer]):
			failures++
		case failures < outageChecks:
			failures = 0
		case checkReady(ctx, s, APIServer) == nil:
			return true
		}
	}
}

// listens is a cheap question: whether anybody takes connections at all.
func listens(port int) bool {
	connection, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), outageInterval)
	if err != nil {
		return false
	}
	return connection.Close() == nil
}
