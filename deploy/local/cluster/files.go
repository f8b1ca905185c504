package cluster

import (
	"fmt"
	"os"
	"syscall"
)

// writeFile replaces a file whole, readable by its owner alone.
func writeFile(path string, content []byte) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// lock lets one command at a time change the cluster in d. It waits for its
// turn; the returned function gives the turn away.
func lock(d Dir) (unlock func(), err error) {
	file, err := os.OpenFile(d.lock(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock cluster: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock cluster: %w", err)
	}
	// Closing the file gives up the lock; nothing was written that could be lost.
	return func() { _ = file.Close() }, nil
}

// logLimit is the size in bytes from which a log starts anew.
const logLimit = 64 << 20

// rotate moves a large log aside, over the one that was moved before.
func rotate(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() < logLimit {
		return nil
	}
	return os.Rename(path, path+".old")
}
