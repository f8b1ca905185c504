package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
)

// bridgeBound is how long the bridge may take to serve.
const bridgeBound = time.Minute

// A bridge is the running child `argo-bridge serve`.
type bridge struct {
	settings  settings
	secrets   secrets
	slackAPI  string
	githubAPI string
	child     *guarded
	log       *os.File
	url       string
}

// startBridge writes the config that a user would write, and runs the bridge with it until it serves.
func startBridge(ctx context.Context, s settings, c *cluster, w *workspace, f *forge, j *journal) (*bridge, error) {
	b := &bridge{settings: s, secrets: w.secrets, slackAPI: w.server.APIURL(), githubAPI: f.URL}
	// The bus begins empty: this story's history is its own.
	if err := os.RemoveAll(s.path("bus")); err != nil {
		return nil, err
	}
	if err := c.writeIdentity(ctx, s.path("bridge.kubeconfig")); err != nil {
		return nil, err
	}
	if err := b.writeConfig(c); err != nil {
		return nil, err
	}
	var err error
	if b.log, err = os.Create(s.path("bridge.log")); err != nil {
		return nil, err
	}
	lines := newLogReader(j)
	b.child, err = startGuarded(bridgeEnv(os.Environ()), io.MultiWriter(b.log, lines), s.bridge, "serve", "--config", s.path("bridge.yaml"))
	if err != nil {
		return nil, err
	}
	if b.url, err = b.wait(ctx, lines); err != nil {
		_ = b.stop()
		return nil, err
	}
	return b, nil
}

// stop ends the bridge. Its error is not nil when the bridge did not end as it should.
func (b *bridge) stop() error {
	err := b.child.stop()
	_ = b.log.Close()
	return err
}

func (b *bridge) wait(ctx context.Context, lines *logReader) (url string, err error) {
	limit := time.NewTimer(bridgeBound)
	defer limit.Stop()
	select {
	case address := <-lines.serving:
		return "http://" + address, nil
	case <-b.child.done:
		return "", fmt.Errorf("argo-bridge serve has ended (%w); its log is %s", b.child.err, short(b.log.Name()))
	case <-limit.C:
		return "", fmt.Errorf("argo-bridge does not serve after %s; its log is %s", bridgeBound, short(b.log.Name()))
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// writeConfig writes bridge.yaml, and each secret into a file of its own.
func (b *bridge) writeConfig(c *cluster) error {
	s := b.settings
	config, err := yaml.Marshal(map[string]any{
		"namespace":  namespace,
		"http":       map[string]any{"listen": "127.0.0.1:0"},
		"log":        map[string]any{"level": "debug"},
		"argo":       map[string]any{"ui": c.argoServer},
		"kubernetes": map[string]any{"kubeconfig": s.path("bridge.kubeconfig")},
		"bus":        map[string]any{"dataDir": s.path("bus")},
		"gcs":        map[string]any{"subscriptions": []string{subscription}},
		"github": map[string]any{
			"webhookSecretFiles": []string{s.path("secrets", "github")},
			"app":                map[string]any{"id": forgeApp, "privateKeyFile": s.path("secrets", "github-key")},
			"baseURL":            b.githubAPI,
		},
		"slack": map[string]any{
			"signingSecretFiles": []string{s.path("secrets", "slack-signing")},
			"tokenFile":          s.path("secrets", "slack-token"),
			"apiURL":             b.slackAPI,
		},
	})
	if err != nil {
		return err
	}
	return errors.Join(
		os.MkdirAll(s.path("secrets"), 0o700),
		os.WriteFile(s.path("secrets", "github"), []byte(b.secrets.github), 0o600),
		os.WriteFile(s.path("secrets", "github-key"), githubtest.KeyPEM(), 0o600),
		os.WriteFile(s.path("secrets", "slack-signing"), []byte(b.secrets.slackSigning), 0o600),
		os.WriteFile(s.path("secrets", "slack-token"), []byte(b.secrets.slackToken), 0o600),
		os.WriteFile(s.path("bridge.yaml"), config, 0o600),
	)
}

// bridgeEnv keeps the developer's own settings of a bridge and a cluster out of the demo's.
func bridgeEnv(env []string) []string {
	var kept []string
	for _, v := range env {
		if !hasAnyPrefix(v, "ARGO_BRIDGE_", "KUBECONFIG=", "GOOGLE_", "LOCAL_CLUSTER_") {
			kept = append(kept, v)
		}
	}
	return kept
}
