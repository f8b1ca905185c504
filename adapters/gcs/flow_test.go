package gcs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// TestWhatIsNotStoredIsBounded fills a subscription while the bus stands still: the source holds as much as it may, and
// no more, then stores all of it.
func TestWhatIsNotStoredIsBounded(t *testing.T) {
	t.Parallel()
	size := len(object)
	for name, tt := range map[string]struct {
		config Config
		most   int
	}{
		"by messages":          {Config{MaxMessages: 3}, 3},
		"by bytes":             {Config{MaxBytes: 4*size + size/2}, 4},
		"by the smaller bound": {Config{MaxMessages: 5, MaxBytes: 2*size + size/2}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const messages, quiet = 20, 300 * time.Millisecond
			var mu sync.Mutex
			held, most, changed := 0, 0, time.Now()
			release := make(chan struct{})
			b := &bus{PublishFn: func(ctx context.Context, _ bridge.Event) error {
				mu.Lock()
				held++
				most, changed = max(most, held), time.Now()
				mu.Unlock()
				defer func() { mu.Lock(); held--; mu.Unlock() }()
				select {
				case <-release:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}}
			c := tt.config
			c.Subscriptions = []string{subscription}
			ps := start(t, b, c)
			for i := range messages {
				ps.Publish(topic, []byte(object), attributes("OBJECT_FINALIZE", "objectGeneration", fmt.Sprint(i+1)))
			}
			until(t, "a source that takes no more", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return held >= tt.most && time.Since(changed) > quiet
			})
			close(release)
			until(t, "all of them", func() bool { return len(b.stored()) >= messages })
			if most != tt.most {
				t.Errorf("the source held %d messages at once, want %d", most, tt.most)
			}
		})
	}
}

func TestCredentialsAreReadFromFiles(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"key.json": fmt.Sprintf(`{"type":"service_account","project_id":"acme","private_key_id":"1","private_key":%q,
			"client_email":"bridge@acme.iam.gserviceaccount.com","token_uri":"https://oauth2.googleapis.com/token"}`, s.pem(t)),
		"external.json": `{"type":"external_account","audience":"//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k",
			"subject_token_type":"urn:ietf:params:oauth:token-type:jwt","token_url":"https://sts.googleapis.com/v1/token",
			"credential_source":{"file":"/var/run/token"}}`,
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if o, err := (Config{CredentialsFile: path}).Load(); err != nil || len(o) != 1 {
			t.Errorf("%s: %v, %v", name, o, err)
		}
	}
	broken := filepath.Join(dir, "broken.json")
	if err := os.WriteFile(broken, []byte(`{"type":"service_account","private_key":"secret-text"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Config{CredentialsFile: broken}).Load(); err == nil || strings.Contains(err.Error(), "secret-text") {
		t.Errorf("a key without its parts: %v", err)
	}
	if o, err := (Config{}).Load(); err != nil || o != nil {
		t.Errorf("no file: %v, %v", o, err)
	}
}

func TestValidateNamesEveryBadFieldOfPush(t *testing.T) {
	t.Parallel()
	err := Config{Push: &PushConfig{ServiceAccounts: []string{"nobody", "a@b"}, CertsURL: "http://evil.example.com"}}.Validate()
	for _, want := range []string{"push.audience", "push.serviceAccounts[0]", "push.serviceAccounts[1]", "push.certsURL"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if err := (Config{Push: &PushConfig{}}).Validate(); err == nil || !strings.Contains(err.Error(), "push.serviceAccounts") {
		t.Errorf("got %v", err)
	}
	if err := (Config{Push: &PushConfig{Audience: audience, ServiceAccounts: []string{pusher}}}).Validate(); err != nil {
		t.Errorf("push without subscriptions: %v", err)
	}
}
