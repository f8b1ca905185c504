package webhook

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/argo-bridge/argo-bridge/bridge"
)

var secret = bytes.Repeat([]byte("k"), 32)

const path = "/hooks/very-secret-path"

func failed(target string) bridge.Notification {
	return bridge.Notification{
		Key: "0d4c-failed-1f", Outcome: bridge.Failed, To: bridge.Destination{Scheme: "webhook", Target: target}, Created: time.Unix(1772370000, 0).UTC(),
		Run: bridge.Run{Namespace: "data", Name: "nightly-ü", Template: bridge.Template{Namespace: "data", Name: "nightly"}, Phase: "Failed"},
	}
}

// endpoint is a receiver, and a Notifier that knows it as pager.
func endpoint(t *testing.T, answer http.HandlerFunc) (*Notifier, *httptest.Server) {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return NewNotifier(map[string]Target{"pager": {
		URL: s.URL + path + "?key=very-secret-query", Secret: secret, Headers: http.Header{"Authorization": {"Bearer very-secret-token"}},
	}}, Options{}), s
}

func TestReceiversUnderstandAndBelieveIt(t *testing.T) {
	t.Parallel()
	verifier, err := standardwebhooks.NewWebhook("whsec_" + base64.StdEncoding.EncodeToString(secret))
	if err != nil {
		t.Fatal(err)
	}
	took := 0
	n, _ := endpoint(t, func(_ http.ResponseWriter, r *http.Request) {
		took++
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.URL.Path != path || r.Header.Get("Authorization") != "Bearer very-secret-token" {
			t.Errorf("%s %s, %v", r.Method, r.URL, err)
		}
		if err := verifier.Verify(body, r.Header); err != nil {
			t.Errorf("the signature: %v", err)
		}
		if err := verifier.Verify(append(body, ' '), r.Header); err == nil {
			t.Error("a changed body is believed")
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		e, err := binding.ToEvent(r.Context(), cehttp.NewMessageFromHttpRequest(r))
		if err != nil {
			t.Errorf("no CloudEvent: %v\n%s", err, body)
			return
		}
		if e.Validate() != nil || e.ID() != r.Header.Get("webhook-id") || e.Type() != "io.argoproj.bridge.notification.failed" || e.Subject() != "workflows/nightly-ü" || !strings.Contains(string(e.Data()), `"outcome":"failed"`) {
			t.Errorf("%s", e)
		}
	})
	for range 2 {
		if err := n.Notify(t.Context(), failed("pager")); err != nil || took == 0 {
			t.Errorf("took %d, %v", took, err)
		}
	}
}

func TestAnswersSayWhetherARetryCanHelp(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status     int
		retryAfter string
		permanent  bool
		wait       time.Duration
		says       string
	}{
		"too many":                      {429, "7", false, 7 * time.Second, "answered 429: no [redacted]"},
		"too many, of no time":          {429, "", false, unnamedWait, ""},
		"too many, of a time long past": {429, "Mon, 02 Jan 2006 15:04:05 GMT", false, 0, ""},
		"too many, for too long":        {429, "99999999", false, maxWait, ""},
		"a fault of its own":            {500, "", false, -1, ""},
		"unavailable for a time":        {503, "30", false, 30 * time.Second, ""},
		"a timeout":                     {408, "", false, -1, ""},
		"bad":                           {400, "", true, -1, ""},
		"unauthorized":                  {401, "", true, -1, "secretFile"},
		"gone":                          {410, "", true, -1, ""},
		"elsewhere":                     {308, "", true, -1, "redirects are not followed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, s := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != path {
					t.Errorf("a redirect was followed to %s", r.URL)
				}
				w.Header().Set("Location", "/elsewhere")
				if tt.retryAfter != "" {
					w.Header().Set("Retry-After", tt.retryAfter)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, "no very-secret-token\x1b["+strings.Repeat("x", 1000))
			})
			err := n.Notify(t.Context(), failed("pager"))
			wait, named := bridge.Wait(err)
			if err == nil || bridge.IsPermanent(err) != tt.permanent || named != (tt.wait >= 0) || named && wait != tt.wait {
				t.Errorf("permanent %v, wait %v %v: %v", bridge.IsPermanent(err), wait, named, err)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), s.URL) || len(err.Error()) > 500) {
				t.Errorf("%v", err)
			}
			clean(t, err)
		})
	}
}

// clean holds that an error shows no secret.
func clean(t *testing.T, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(e.Error(), "very-secret") || strings.Contains(e.Error(), "\x1b") {
			t.Errorf("it shows a secret: %q", e)
		}
	}
}

func TestWhoIsNotThereIsAskedAgain(t *testing.T) {
	t.Parallel()
	n, s := endpoint(t, func(http.ResponseWriter, *http.Request) {})
	s.Close()
	err := n.Notify(t.Context(), failed("pager"))
	if err == nil || bridge.IsPermanent(err) || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("%v", err)
	}
	clean(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Notify(ctx, failed("pager")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestANameThatTheConfigLacks(t *testing.T) {
	t.Parallel()
	err := NewNotifier(nil, Options{}).Notify(t.Context(), failed("other"))
	if !bridge.IsPermanent(err) || !strings.Contains(err.Error(), "add webhooks.other with its url") {
		t.Errorf("%v", err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good", "whsec_"+base64.StdEncoding.EncodeToString(secret)+"\n")
	const address = "https://x.example/very-secret"
	for name, tt := range map[string]struct {
		name string
		e    Endpoint
		want string // of Validate and Load; empty: none
	}{
		"all of it":                {"pager", Endpoint{URL: address, SecretFile: good, HeadersFile: file("headers", "# who\nAuthorization: Bearer x\n\n")}, ""},
		"by the environment":       {"pager", Endpoint{URLFile: file("url", address), SecretEnv: "SECRET"}, ""},
		"a bad name":               {"a b", Endpoint{URL: address, SecretFile: good}, "no name"},
		"no address":               {"pager", Endpoint{SecretFile: good}, "url: give one of"},
		"two addresses":            {"pager", Endpoint{URL: address, URLFile: good, SecretFile: good}, "url: give one of"},
		"another scheme":           {"pager", Endpoint{URL: "ftp://very-secret", SecretFile: good}, "url: it is no http(s) address"},
		"a user in it":             {"pager", Endpoint{URL: "https://a:very-secret@x", SecretFile: good}, "Authorization header"},
		"a file without one":       {"pager", Endpoint{URLFile: file("nourl", "very-secret"), SecretFile: good}, "urlFile: it is no http(s) address"},
		"no secret":                {"pager", Endpoint{URL: address}, "secretFile: give one of"},
		"a missing file":           {"pager", Endpoint{URL: address, SecretFile: dir + "/none"}, "secretFile: read secret"},
		"an empty file":            {"pager", Endpoint{URL: address, SecretFile: file("empty", " \n")}, "secretFile: the file is empty"},
		"an empty variable":        {"pager", Endpoint{URL: address, SecretEnv: "NONE"}, "secretEnv: the secret is empty"},
		"a variable of no name":    {"pager", Endpoint{URL: address, SecretEnv: "A B"}, "secretEnv: \"A B\""},
		"a secret that is short":   {"pager", Endpoint{URL: address, SecretFile: file("short", "dmVyeS1zZWNyZXQ=")}, "24 to 64 bytes"},
		"a secret in no base64":    {"pager", Endpoint{URL: address, SecretFile: file("plain", "very-secret, and as long as it has to be")}, "openssl rand"},
		"a header of no form":      {"pager", Endpoint{URL: address, SecretFile: good, HeadersFile: file("h1", "very-secret")}, "headersFile: line 1"},
		"a header with a break":    {"pager", Endpoint{URL: address, SecretFile: good, HeadersFile: file("h2", "A: b\nC: d\x00")}, "headersFile: line 2"},
		"a header of the bridge's": {"pager", Endpoint{URL: address, SecretFile: good, HeadersFile: file("h3", "webhook-id: very-secret")}, "the bridge itself sets"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := Config{tt.name: tt.e}
			err := c.Validate()
			var all map[string]Target
			if err == nil {
				all, err = c.Load(func(name string) string {
					return map[string]string{"SECRET": base64.StdEncoding.EncodeToString(secret)}[name]
				})
			}
			if tt.want == "" {
				if err != nil || !bytes.Equal(all["pager"].Secret, secret) || all["pager"].URL != address {
					t.Errorf("%v, %v", all, err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), tt.name+".") || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "very-secret") {
				t.Errorf("%v", err)
			}
		})
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add("Authorization: Bearer x\n# c\nA:b")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parseHeaders(text)
		if err != nil {
			return
		}
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header = all
		if err := r.Header.Write(io.Discard); err != nil {
			t.Error(err)
		}
	})
}

func TestTheLogShowsNoPaths(t *testing.T) {
	t.Parallel()
	c := Config{"pager": {URL: "https://x.example/very-secret?a=very-secret", SecretFile: "/s"}}
	shown := c.Redacted()
	if shown["pager"].URL != "https://x.example" || shown["pager"].SecretFile != "/s" || !strings.Contains(c["pager"].URL, "very-secret") {
		t.Errorf("%+v", shown)
	}
}
