package cluster

import (
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
)

// sleeper starts a process that ends only when it is told to.
func sleeper(t *testing.T) record {
	t.Helper()
	command := exec.Command("sleep", "600")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	started, err := startedAt(command.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return record{PID: command.Process.Pid, Started: started}
}

func TestEndStopsTheRecordedProcess(t *testing.T) {
	r := sleeper(t)
	if !r.alive() {
		t.Fatal("the process is not seen as alive")
	}
	if err := r.end(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	if r.alive() {
		t.Error("the process is still alive")
	}
}

func TestEndSparesAnotherProcessWithTheSameNumber(t *testing.T) {
	r := sleeper(t)
	reused := record{PID: r.PID, Started: "earlier"}
	if reused.alive() {
		t.Error("another process is taken for the recorded one")
	}
	if err := reused.end(time.Second); err != nil {
		t.Fatal(err)
	}
	if !r.alive() {
		t.Error("the other process was ended")
	}
}

func TestRecordSurvivesOnlyAsLongAsItsProcess(t *testing.T) {
	dir, err := Dir(t.TempDir()).absolute()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loadRecord(dir, Controller); !errors.Is(err, errNotRunning) {
		t.Errorf("without record: %v", err)
	}
	r := sleeper(t)
	if _, err := saveRecord(dir, Controller, r.PID); err != nil {
		t.Fatal(err)
	}
	if got, err := loadRecord(dir, Controller); err != nil || got != r {
		t.Errorf("loaded %+v, %v; want %+v", got, err, r)
	}
	if err := r.end(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := loadRecord(dir, Controller); !errors.Is(err, errNotRunning) {
		t.Errorf("after the end: %v", err)
	}
}

func TestMemoryOfThisProcessIsKnown(t *testing.T) {
	if got := residentMB(os.Getpid()); got < 1 {
		t.Errorf("%d MB", got)
	}
}
