package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

var errNotRunning = errors.New("not running")

// record identifies the process of a component. The number alone would not do:
// once a process has ended, the system gives its number to another one.
type record struct {
	PID int `json:"pid"`
	// Started is when the process started, in the system's own terms.
	Started string `json:"started"`
}

// alive says whether the recorded process runs, and not only its number.
func (r record) alive() bool {
	started, err := startedAt(r.PID)
	return err == nil && started == r.Started
}

// loadRecord returns the process of a component, or errNotRunning.
func loadRecord(d Dir, component string) (record, error) {
	raw, err := os.ReadFile(d.record(component))
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, errNotRunning
	}
	if err != nil {
		return record{}, fmt.Errorf("read process record of %s: %w", component, err)
	}
	var r record
	if err := json.Unmarshal(raw, &r); err != nil {
		return record{}, fmt.Errorf("read process record of %s: %w", component, err)
	}
	if !r.alive() {
		return record{}, errNotRunning
	}
	return r, nil
}

func saveRecord(d Dir, component string, pid int) (record, error) {
	started, err := startedAt(pid)
	if err != nil {
		return record{}, fmt.Errorf("%s ended at once, see %s: %w", component, d.Log(component), err)
	}
	r := record{PID: pid, Started: started}
	raw, err := json.Marshal(r)
	if err != nil {
		return record{}, err
	}
	return r, writeFile(d.record(component), raw)
}

// launch starts a component as a detached process in its own session and
// records it.
func launch(d Dir, executable, component string, parentPID int) (record, error) {
	if err := rotate(d.Log(component)); err != nil {
		return record{}, fmt.Errorf("rotate log of %s: %w", component, err)
	}
	log, err := os.OpenFile(d.Log(component), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return record{}, fmt.Errorf("open log of %s: %w", component, err)
	}
	defer func() { _ = log.Close() }()
	args := []string{component, "--dir", string(d)}
	if parentPID != 0 {
		args = append(args, "--parent-pid", fmt.Sprint(parentPID))
	}
	cmd := exec.Command(executable, args...)
	cmd.Dir, cmd.Env = string(d), environment()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return record{}, fmt.Errorf("start %s: %w", component, err)
	}
	r, err := saveRecord(d, component, cmd.Process.Pid)
	// Reap the process should it end while this command still runs. The
	// goroutine ends with the process or with the command.
	go func() { _ = cmd.Wait() }()
	return r, err
}

// environment is that of the caller without what would steer Argo or client-go
// away from the local cluster.
func environment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if name == "KUBECONFIG" || strings.HasPrefix(name, "ARGO_") || strings.HasPrefix(name, "KUBERNETES_") {
			continue
		}
		kept = append(kept, variable)
	}
	return kept
}

// end asks the process to stop, and after the grace period makes it.
func (r record) end(grace time.Duration) error {
	if err := r.signal(syscall.SIGTERM); err != nil {
		return err
	}
	if r.waitGone(grace) {
		return nil
	}
	if err := r.signal(syscall.SIGKILL); err != nil {
		return err
	}
	if !r.waitGone(10 * time.Second) {
		return fmt.Errorf("process %d does not end", r.PID)
	}
	return nil
}

func (r record) signal(sig syscall.Signal) error {
	if !r.alive() {
		return nil
	}
	if err := syscall.Kill(r.PID, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %s to process %d: %w", sig, r.PID, err)
	}
	return nil
}

func (r record) waitGone(limit time.Duration) bool {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if !r.alive() {
			return true
		}
	}
	return !r.alive()
}
