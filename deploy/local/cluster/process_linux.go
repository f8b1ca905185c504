package cluster

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// startedAt returns the start of process pid as boot id and clock ticks since
// boot (proc(5): field 22 of stat), or errNotRunning. A process that has ended
// but is not reaped yet counts as not running.
func startedAt(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", errNotRunning
	}
	// Field 2 is the name in parentheses and may itself hold any character.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const state, startTime = 3 - 3, 22 - 3
	if len(fields) <= startTime {
		return "", fmt.Errorf("read /proc/%d/stat: %d fields", pid, len(fields))
	}
	if s := fields[state][0]; s == 'Z' || s == 'X' {
		return "", errNotRunning
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	return strings.TrimSpace(string(boot)) + "/" + string(fields[startTime]), nil
}

// residentMB is the memory of process pid, or 0 if it cannot be told.
func residentMB(pid int) int {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(statm))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return pages * os.Getpagesize() >> 20
}
