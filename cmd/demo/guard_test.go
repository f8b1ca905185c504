package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// helperVariable makes the test's program a demo that holds a child and is then killed.
const helperVariable = "DEMO_TEST_HOLDS_A_CHILD"

// TestMain lets the test's own program be the guard, as the demo's program is.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == guardCommand:
		os.Exit(guard(os.Args[2:]))
	case os.Getenv(helperVariable) != "":
		os.Exit(holdAChild())
	}
	os.Exit(m.Run())
}

func holdAChild() int {
	if _, err := startGuarded(os.Environ(), os.Stdout, "sh", "-c", "echo $$; sleep 600"); err != nil {
		return 1
	}
	time.Sleep(10 * time.Minute)
	return 0
}

func TestAChildEndsWhenTheDemoIsKilled(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	holder := exec.Command(self)
	holder.Env = append(os.Environ(), helperVariable+"=1")
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait()
	eventually(t, fmt.Sprintf("the end of the child %d", pid), func() bool { return gone(pid) })
}

func TestStoppingAChildWaitsForItsEnd(t *testing.T) {
	t.Parallel()
	read, write := io.Pipe()
	g, err := startGuarded(os.Environ(), write, "sh", "-c", `trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done`)
	if err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(read)
	said.Scan()
	if said.Text() != "ready" {
		t.Fatalf("the child says %q", said.Text())
	}
	last := make(chan string, 1)
	go func() {
		line := ""
		for said.Scan() {
			line = said.Text()
		}
		last <- line
	}()
	began := time.Now()
	if err := g.stop(); exitCode(err) != 3 {
		t.Errorf("the child's exit code 3 is lost: %v", err)
	}
	if took := time.Since(began); took > stopBound/2 {
		t.Errorf("the child took %s to end: it was not told to", took)
	}
	_ = write.Close()
	if got := <-last; got != "bye" {
		t.Errorf("the child could not end by itself: %q", got)
	}
}

// gone says whether no process has the number, or only the remains of one.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) == syscall.ESRCH {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not in time: %s", what)
}
