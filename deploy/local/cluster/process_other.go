//go:build unix && !linux

package cluster

import (
	"os/exec"
	"strconv"
	"strings"
)

// startedAt returns the start of process pid as ps prints it, or errNotRunning.
func startedAt(pid int) (string, error) {
	state, started, _ := strings.Cut(ps(pid, "stat=,lstart="), " ")
	if state == "" || strings.HasPrefix(state, "Z") {
		return "", errNotRunning
	}
	return strings.TrimSpace(started), nil
}

// residentMB is the memory of process pid, or 0 if it cannot be told.
func residentMB(pid int) int {
	kilobytes, err := strconv.Atoi(ps(pid, "rss="))
	if err != nil {
		return 0
	}
	return kilobytes >> 10
}

// ps is the trimmed answer, empty if there is no such process.
func ps(pid int, columns string) string {
	out, err := exec.Command("ps", "-o", columns, "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
