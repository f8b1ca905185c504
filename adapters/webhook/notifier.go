package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/announce"
)

// Headers of https://www.standardwebhooks.com, in Go's spelling; HTTP does not tell them from lower case.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"

	contentType = "application/cloudevents+json; charset=utf-8"
)

const (
	// requestTimeout bounds one request; Standard Webhooks recommends 15 to 30 seconds.
	requestTimeout = 20 * time.Second
	// answerMax is how much of an answer is read.
	answerMax = 64 << 10
)

// Notifier posts notifications of the scheme webhook.
type Notifier struct {
	targets map[string]Target
	client  *http.Client
	now     func() time.Time
}

// Options are what a Notifier can do without.
type Options struct {
	// Client makes the requests. Default: one with a timeout of 20 s that goes through the proxy of the environment.
	// Redirects are never followed, whatever it says.
	Client *http.Client
	Now    func() time.Time
}

var _ bridge.Notifier = (*Notifier)(nil)

// NewNotifier posts to the targets, by name.
func NewNotifier(targets map[string]Target, o Options) *Notifier {
	client := http.Client{Timeout: requestTimeout}
	if o.Client != nil {
		client = *o.Client
	}
	// A redirect would send what is signed for one service to another.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Notifier{targets: targets, client: &client, now: o.Now}
}

// Notify posts the notification; an answer of 200 to 299 is taken for its acceptance. See [bridge.Notifier].
func (w *Notifier) Notify(ctx context.Context, n bridge.Notification) error {
	target, known := w.targets[n.To.Target]
	if !known {
		return bridge.Permanent(fmt.Errorf("notify %s: the bridge's config has no such webhook: add webhooks.%s with its url and secretFile", n.To, n.To.Target))
	}
	request, err := w.request(ctx, target, n)
	if err != nil {
		return bridge.Permanent(fmt.Errorf("notify %s: %s", n.To, target.redact(err.Error())))
	}
	answer, err := w.client.Do(request)
	if err != nil {
		return target.unreached(ctx, n, err)
	}
	defer answer.Body.Close()
	return target.judge(n, answer, w.now())
}

// event is a CloudEvent in the structured JSON mode:
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
type event struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject,omitempty"`
	Time            *time.Time      `json:"time,omitempty"`
	DataContentType string          `json:"datacontenttype"`
	Data            json.RawMessage `json:"data"`
}

func (w *Notifier) request(ctx context.Context, t Target, n bridge.Notification) (*http.Request, error) {
	e, err := announce.Event(n)
	if err != nil {
		return nil, err
	}
	written := event{"1.0", e.ID, e.Source, e.Type, e.Subject, nil, "application/json", e.Data}
	if !e.Time.IsZero() {
		written.Time = &e.Time
	}
	body, err := json.Marshal(written)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range t.Headers {
		r.Header[name] = values
	}
	r.Header.Set("User-Agent", "argo-bridge")
	r.Header.Set("Content-Type", contentType)
	id, stamp := identity(n), strconv.FormatInt(w.now().Unix(), 10)
	r.Header.Set(headerID, id)
	r.Header.Set(headerTimestamp, stamp)
	r.Header.Set(headerSignature, Sign(t.Secret, id, stamp, body))
	return r, nil
}

// identity is the notification's key, or where that is fit for no header, a digest of it; there is no full stop in it,
// which would end it in what is signed.
func identity(n bridge.Notification) string {
	for _, r := range n.Key {
		if r <= ' ' || r >= 0x7f || r == '.' {
			return bridge.Digest(n.Key)
		}
	}
	return n.Key
}

// Sign is the value of webhook-signature: v1, and HMAC-SHA256 over "id.timestamp.body" in base64.
func Sign(secret []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.", id, timestamp)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
