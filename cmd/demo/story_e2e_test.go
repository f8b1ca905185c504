package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// tell starts the demo as a program of its own in a folder of its own; out is what it prints.
func tell(t *testing.T) (command *exec.Cmd, dir string, out io.Reader) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the local cluster, which -short leaves out")
	}
	for program, remedy := range map[string]string{"local-cluster": "make local-cluster", "argo-bridge": "make build"} {
		if _, err := os.Stat(filepath.Join("../../bin", program)); err != nil {
			t.Skipf("bin/%s is not built: run %s", program, remedy)
		}
	}
	binary := filepath.Join(t.TempDir(), "demo")
	if said, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	dir = t.TempDir()
	command = exec.Command(binary, "--dir", dir)
	command.Dir = "../.."
	command.Env = append(os.Environ(), "NO_COLOR=1")
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() }) // of a test that fails before its end
	return command, dir, out
}

func TestTheDemoTellsItsStory(t *testing.T) {
	command, dir, out := tell(t)
	said, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, want := range []string{
		"column 'price' is missing", "failed slack:#data-alerts", "recovered slack:#data-alerts",
		"not started: folders", "not started: paths-ignore", "not started again", "only visible to @mona",
		"argo / ci / pull-request", "completed/success",
	} {
		if !strings.Contains(string(said), want) {
			t.Errorf("the demo does not tell %q", want)
		}
	}
	if n := strings.Count(string(said), "╭─"); n != 5 {
		t.Errorf("%d messages are drawn, want 5: the failure, the recovery, the check, the answer and the end of the command", n)
	}
	if strings.Contains(string(said), "\x1b[") {
		t.Error("there are colours in spite of NO_COLOR")
	}
	nothingRuns(t, dir)
}

func TestNothingRunsOnWhenTheDemoIsInterrupted(t *testing.T) {
	for name, c := range map[string]struct {
		signal syscall.Signal
		when   string // a part of the line after which the signal comes
		code   int
	}{
		"by Ctrl-C while the cluster starts": {syscall.SIGINT, "argo-bridge: from an event", 130},
		"by Ctrl-C in the story":             {syscall.SIGINT, "cannot be loaded", 130},
		"by kill in the story":               {syscall.SIGTERM, "cannot be loaded", 130},
		"by kill -9 in the story":            {syscall.SIGKILL, "cannot be loaded", -1},
	} {
		t.Run(name, func(t *testing.T) {
			command, dir, out := tell(t)
			lines := bufio.NewScanner(out)
			for lines.Scan() && !strings.Contains(lines.Text(), c.when) {
			}
			if err := command.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, out)
			_ = command.Wait()
			if got := command.ProcessState.ExitCode(); got != c.code {
				t.Errorf("exit code %d, want %d", got, c.code)
			}
			nothingRuns(t, dir)
		})
	}
}

// nothingRuns waits until no process names the demo's folder: the cluster's parts, the guard and the bridge all do.
func nothingRuns(t *testing.T, dir string) {
	t.Helper()
	eventually(t, "the end of every process of the demo", func() bool {
		all, err := exec.Command("ps", "-eo", "args").Output()
		return err == nil && !strings.Contains(string(all), dir)
	})
}
