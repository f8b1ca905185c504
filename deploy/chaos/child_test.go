package chaos

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// How a child learns what it is.
const (
	roleVariable     = "CHAOS_ROLE"
	settingsVariable = "CHAOS_SETTINGS"
)

const (
	roleNode   = "node"
	roleBridge = "bridge"
)

// beChild runs this process as a child until it is killed; it returns its exit code.
func beChild(role, settings string) int {
	roles := map[string]func(settings []byte) error{roleNode: runNode, roleBridge: runBridge}
	if err := roles[role]([]byte(settings)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// A child is a process that may be killed and started again, with the same settings. One that ends by itself
// is started again after a moment, as a kubelet does. Safe for concurrent use.
type child struct {
	t        testing.TB
	name     string
	role     string
	settings string
	env      []string
	log      *os.File

	acting  sync.Mutex // held by start and kill
	mu      sync.Mutex
	process *exec.Cmd
	wanted  bool          // is to run
	done    chan struct{} // closed when nobody looks after the process any more
}

func newChild(t testing.TB, world, name, role string, settings any, env ...string) *child {
	t.Helper()
	data, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(logs, world)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	log, err := os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, name: name, role: role, settings: string(data), env: env, log: log}
	t.Cleanup(func() {
		c.kill()
		log.Close()
	})
	return c
}

// start starts the process, unless it runs, and returns without waiting for it.
func (c *child) start() {
	c.acting.Lock()
	defer c.acting.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wanted {
		return
	}
	if err := c.launch(); err != nil {
		c.t.Errorf("start %s: %v", c.name, err)
		return
	}
	c.wanted, c.done = true, make(chan struct{})
	go c.lookAfter(c.done)
}

// launch needs the lock.
func (c *child) launch() error {
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(binary)
	cmd.Env = append(append(os.Environ(), c.env...), roleVariable+"="+c.role, settingsVariable+"="+c.settings)
	// Through a pipe and not as a file: a child whose disk is full is to say so.
	cmd.Stdout, cmd.Stderr = io.MultiWriter(c.log), io.MultiWriter(c.log)
	// The kernel ends the child when the test dies.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.process = cmd
	return nil
}

// restartDelay is how long a process that has ended by itself stays away.
const restartDelay = time.Second

// lookAfter waits for the process, and starts it again until it is killed.
func (c *child) lookAfter(done chan struct{}) {
	defer close(done)
	for {
		c.mu.Lock()
		process := c.process
		c.mu.Unlock()
		err := process.Wait()
		if !c.isWanted() {
			return
		}
		say("%s has ended by itself: %v", c.name, err)
		time.Sleep(restartDelay)
		c.mu.Lock()
		if c.wanted {
			err = c.launch()
		}
		wanted := c.wanted
		c.mu.Unlock()
		if !wanted || err != nil {
			return
		}
	}
}

func (c *child) isWanted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wanted
}

// kill is kill -9; it returns when the process is gone.
func (c *child) kill() {
	c.acting.Lock()
	defer c.acting.Unlock()
	c.mu.Lock()
	if !c.wanted {
		c.mu.Unlock()
		return
	}
	c.wanted = false
	_ = c.process.Process.Kill()
	c.mu.Unlock()
	<-c.done
}

func (c *child) restart() {
	c.kill()
	c.start()
}

// pid is that of the process, which may have ended by itself.
func (c *child) pid() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.process.Process.Pid
}
