package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/bridge/app"
)

// configVariable tells a process that it is a bridge, and of which settings.
const configVariable = "FLOW_BRIDGE"

// bridgeSettings are what a bridge is told.
type bridgeSettings struct {
	Kubeconfig, Namespace, Bus string
	Address                    string // file into which the bridge writes where it listens
}

// runBridge is the main of a bridge: the program without its command line.
func runBridge(text string) error {
	var s bridgeSettings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	log, err := zap.NewProduction()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	o, err := s.options()
	if err != nil {
		return err
	}
	a, err := app.NewWithSeams(ctx, o, os.Getenv, log, app.Seams{})
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.Address, []byte(a.Address()), 0o600); err != nil {
		return err
	}
	return a.Run(ctx)
}

// options are those of a config file.
func (s bridgeSettings) options() (o app.Options, err error) {
	err = yaml.Unmarshal(fmt.Appendf(nil, `
namespace: %s
http: {listen: "127.0.0.1:0"}
kubernetes: {kubeconfig: %q}
bus: {url: %q}
limits: {workflows: -1}
`, s.Namespace, s.Kubeconfig, s.Bus), &o)
	return o, err
}

// A replica is one bridge, which may be stopped or killed and started again. Not for concurrent use.
type replica struct {
	name     string
	settings bridgeSettings
	log      *os.File
	process  *exec.Cmd
}

func newReplica(t testing.TB, name string, s bridgeSettings) *replica {
	t.Helper()
	s.Address = filepath.Join(scratch, name+".address")
	log, err := os.Create(filepath.Join(scratch, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	r := &replica{name: name, settings: s, log: log}
	t.Cleanup(func() {
		_ = r.end(syscall.SIGKILL)
		log.Close()
	})
	return r
}

func (r *replica) start() error {
	settings, err := json.Marshal(r.settings)
	if err != nil {
		return err
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(r.settings.Address); err != nil {
		return err
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), configVariable+"="+string(settings))
	cmd.Stdout, cmd.Stderr = r.log, r.log
	// The kernel ends the bridge when the test dies.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	r.process = cmd
	return nil
}

// end sends a signal and waits until the bridge is gone. A bridge that was asked to end must do so without a fault.
func (r *replica) end(by syscall.Signal) error {
	if r.process == nil {
		return nil
	}
	_ = r.process.Process.Signal(by)
	err := r.process.Wait()
	r.process = nil
	if err != nil && by != syscall.SIGKILL {
		return fmt.Errorf("%s ended badly: %w", r.name, err)
	}
	return nil
}

// ready says why the bridge is not.
func (r *replica) ready() error {
	address, err := os.ReadFile(r.settings.Address)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get("http://" + string(address) + "/readyz")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s: %d %s", r.name, response.StatusCode, text)
	}
	return nil
}
