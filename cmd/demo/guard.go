package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// guardCommand makes this program a guard: `demo guard PROGRAM ARGUMENTS`.
const guardCommand = "guard"

// stopBound is how long a child may take to stop; the bridge itself gives its parts 25 s.
const stopBound = 30 * time.Second

// guard runs a program until it ends or standard input does. The demo holds the other end of that pipe, so that
// the program ends with the demo, however the demo ends: a kill -9 closes the pipe as well. It works the same on
// every Unix.
func guard(args []string) int {
	if len(args) == 0 {
		return 2
	}
	// The guard ends with its child alone. Signals are taken and dropped, not ignored: the child would inherit that.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	child := exec.Command(args[0], args[1:]...)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := child.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "guard: "+err.Error())
		return 1
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	left := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(left)
	}()
	select {
	case err := <-ended:
		return exitCode(err)
	case <-left:
	}
	_ = syscall.Kill(-child.Process.Pid, syscall.SIGTERM)
	select {
	case err := <-ended:
		return exitCode(err)
	case <-time.After(stopBound):
		_ = syscall.Kill(-child.Process.Pid, syscall.SIGKILL)
		return exitCode(<-ended)
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode() & 0xFF
	default:
		return 1
	}
}

// A guarded is a running child behind a guard.
type guarded struct {
	guard *exec.Cmd
	pipe  io.Closer
	done  chan struct{} // closed when the child has ended
	err   error         // set before done is closed
}

// startGuarded starts the program with exactly this environment; out gets what it writes.
func startGuarded(env []string, out io.Writer, program string, args ...string) (*guarded, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	g := &guarded{guard: exec.Command(self, append([]string{guardCommand, program}, args...)...), done: make(chan struct{})}
	g.guard.Env, g.guard.Stdout, g.guard.Stderr = env, out, out
	// A group of its own: the terminal's Ctrl-C is for the demo, which then stops the parts in order.
	g.guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if g.pipe, err = g.guard.StdinPipe(); err != nil {
		return nil, err
	}
	if err := g.guard.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	go func() {
		defer close(g.done)
		g.err = g.guard.Wait()
	}()
	return g, nil
}

// stop ends the child and returns when it has ended.
func (g *guarded) stop() error {
	_ = g.pipe.Close()
	<-g.done
	return g.err
}
