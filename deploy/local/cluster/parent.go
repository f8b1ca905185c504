package cluster

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"
)

// EndWithParent ends this process when process parentPID has ended: politely,
// and a few seconds later for good. A test that is killed thus leaves no
// cluster behind. The watch lasts until ctx is done.
func EndWithParent(ctx context.Context, parentPID int) error {
	started, err := startedAt(parentPID)
	if err != nil {
		return fmt.Errorf("watch parent process %d: %w", parentPID, err)
	}
	go watchParent(ctx, record{PID: parentPID, Started: started})
	return nil
}

func watchParent(ctx context.Context, parent record) {
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for parent.alive() {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
	fmt.Fprintf(os.Stderr, "parent process %d has ended: ending too\n", parent.PID)
	// Kill fails on a process of one's own only for an invalid signal.
	_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	time.Sleep(3 * time.Second)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
}
