package main

import (
	"fmt"
	"os"
	"syscall"
)

// lock keeps a second demo out of the folder: it would take the bus away from under the first one's bridge. The lock
// ends with the process at the latest.
func lock(s settings) (unlock func() error, err error) {
	file, err := os.OpenFile(s.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("another demo runs in %s: end it by Ctrl-C, or give this one its own --dir", short(s.dir))
	}
	return file.Close, nil
}
