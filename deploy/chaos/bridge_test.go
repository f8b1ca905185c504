package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/bridge/app"
)

const (
	githubSecret = "github's secret"
	slackSecret  = "slack's secret"
	slackToken   = "xoxb-test"
)

// bridgeSettings are what a bridge is told beside its config file.
type bridgeSettings struct {
	Config string // file
	Clock  string // file with how far the clock is wrong, a Go duration; absent: right
	// DuplicateWindow is short, so that redeliveries reach the ledger and the outbox.
	DuplicateWindow time.Duration
	// Off is the safeguard that is switched off; empty for none.
	Off string
	// Dies is the crash point at which the bridge dies once, and Died the file that says it has.
	Dies, Died string
}

// A replica is one bridge: the program without its command line, which would have no seams.
type replica struct {
	*child
	address  string
	settings bridgeSettings
}

// newBridge writes the config of a bridge of the world.
func newBridge(t testing.TB, w *world, i int) *replica {
	t.Helper()
	dir := filepath.Join(scratch, w.name, fmt.Sprintf("bridge-%d", i))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	b := &replica{address: address(freePort(t)), settings: bridgeSettings{
		Config: filepath.Join(dir, "config.yaml"), Clock: filepath.Join(dir, "clock"),
		DuplicateWindow: w.options.window, Off: w.options.off,
		Dies: w.options.dies, Died: filepath.Join(dir, "died"),
	}}
	for name, text := range map[string]string{
		"github-secret": githubSecret, "slack-secret": slackSecret, "slack-token": slackToken,
		"config.yaml": w.config(b, dir, i),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.child = newChild(t, w.name, filepath.Base(dir), roleBridge, b.settings, "PUBSUB_EMULATOR_HOST="+w.topic.server.Addr)
	return b
}

// config is the config file of the i-th bridge, which reaches everything through links of its own.
func (w *world) config(b *replica, dir string, i int) string {
	return fmt.Sprintf(`
namespace: %s
http: {listen: %q}
kubernetes: {kubeconfig: %s}
log: {level: debug}
bus: {%s, maxBytes: %d}
github: {webhookSecretFiles: [%[6]s/github-secret]}
slack: {signingSecretFiles: [%[6]s/slack-secret], tokenFile: %[6]s/slack-token, apiURL: %[7]q}
gcs: {subscriptions: [%[8]s]}
`, w.namespace, b.address, w.api.kubeconfig, w.busConfig(dir, i), w.options.maxBytes, dir,
		w.slack.APIURL(), subscriptionName)
}

// busConfig is the bus of the i-th bridge: the nodes by its own links, or the server that it has in itself.
func (w *world) busConfig(dir string, i int) string {
	if len(w.nodes) == 0 {
		return fmt.Sprintf("dataDir: %s/data, listen: %q", dir, w.embedded)
	}
	var urls []string
	for _, l := range w.busLinks[i] {
		urls = append(urls, "nats://"+l.address())
	}
	return fmt.Sprintf("url: %q, replicas: %d", strings.Join(urls, ","), len(w.nodes))
}

// runBridge is the main of a bridge.
func runBridge(data []byte) error {
	failOnFullDisk()
	var s bridgeSettings
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	text, err := os.ReadFile(s.Config)
	if err != nil {
		return err
	}
	var o app.Options
	if err := yaml.Unmarshal(text, &o); err != nil {
		return err
	}
	log, err := newLog()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	seams := app.Seams{Now: s.now, DuplicateWindow: s.DuplicateWindow}
	if s.Off != "" {
		off[s.Off](&seams)
	}
	if s.Dies != "" {
		crashPoints[s.Dies].at(&death{s.Died}, &seams)
	}
	a, err := app.NewWithSeams(ctx, o, os.Getenv, log, seams)
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

func newLog() (*zap.Logger, error) {
	c := zap.NewProductionConfig()
	c.Level = zap.NewAtomicLevelAt(zap.DebugLevel)
	c.Sampling = nil
	c.DisableStacktrace, c.DisableCaller = true, true
	c.EncoderConfig.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	return c.Build()
}

// now is the clock of the bridge, which may be wrong.
func (s bridgeSettings) now() time.Time {
	text, err := os.ReadFile(s.Clock)
	if err != nil {
		return time.Now()
	}
	skew, err := time.ParseDuration(string(text))
	if err != nil {
		return time.Now()
	}
	return time.Now().Add(skew)
}

// setClock makes the clock of the bridge wrong, or right again.
func (b *replica) setClock(skew time.Duration) error {
	next := b.settings.Clock + ".next"
	if err := os.WriteFile(next, []byte(skew.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(next, b.settings.Clock)
}

// ready says why the bridge is not ready.
func (b *replica) ready() error {
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get("http://" + b.address + "/readyz")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s: %d %s", b.name, response.StatusCode, text)
	}
	return nil
}
