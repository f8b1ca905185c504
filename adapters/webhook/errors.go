package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// maxWait bounds what an endpoint may ask for in Retry-After.
	maxWait = time.Hour
	// unnamedWait is how long to wait after 429 without Retry-After.
	unnamedWait = 30 * time.Second
	// saidMax is how much of what an endpoint says is shown.
	saidMax = 200
)

// judge says of an answer whether the notification was accepted, or else whether a retry can help.
func (t Target) judge(n bridge.Notification, answer *http.Response, now time.Time) error {
	// What is left unread would keep the connection from being used again.
	body, _ := io.ReadAll(io.LimitReader(answer.Body, answerMax))
	if answer.StatusCode/100 == 2 {
		return nil
	}
	err := fmt.Errorf("notify %s: %s answered %d%s", n.To, t.host(), answer.StatusCode, t.said(body))
	wait, named := retryAfter(answer.Header.Get("Retry-After"), now)
	switch {
	case answer.StatusCode == http.StatusTooManyRequests && !named:
		return bridge.RetryAfter(err, unnamedWait)
	case named && (answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode/100 == 5):
		return bridge.RetryAfter(err, wait)
	case answer.StatusCode/100 == 5, answer.StatusCode == http.StatusRequestTimeout, answer.StatusCode == http.StatusTooEarly:
		return err
	case answer.StatusCode/100 == 3:
		return bridge.Permanent(fmt.Errorf("%w: redirects are not followed: set webhooks.%s.url to where it leads", err, n.To.Target))
	case answer.StatusCode == http.StatusUnauthorized, answer.StatusCode == http.StatusForbidden:
		return bridge.Permanent(fmt.Errorf("%w: check webhooks.%s.secretFile and headersFile", err, n.To.Target))
	}
	return bridge.Permanent(err)
}

// retryAfter reads https://www.rfc-editor.org/rfc/rfc9110#name-retry-after: seconds, or a date.
func retryAfter(value string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxWait), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), maxWait), true
	}
	return 0, false
}

// unreached is the error of a request without an answer; whether it arrived is not known, so that it is made again.
func (t Target) unreached(ctx context.Context, n bridge.Notification, err error) error {
	var address *url.Error
	if errors.As(err, &address) {
		err = address.Err // without the URL
	}
	text := fmt.Sprintf("notify %s: %s does not answer: %s", n.To, t.host(), t.redact(err.Error()))
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", text, ctx.Err())
	}
	return errors.New(text)
}

// host is what may be shown of the address: paths and queries of webhooks are secrets as a rule.
func (t Target) host() string {
	u, err := url.Parse(t.URL)
	if err != nil {
		return "the endpoint"
	}
	return u.Scheme + "://" + u.Host
}

// said is the beginning of what an endpoint says about a refusal.
func (t Target) said(body []byte) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "")), " ")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, t.redact(text))
	if runes := []rune(text); len(runes) > saidMax {
		text = string(runes[:saidMax]) + "…"
	}
	if text == "" {
		return ""
	}
	return ": " + text
}

// redact takes out of a text what the target's files hold.
func (t Target) redact(text string) string {
	secrets := []string{t.URL}
	if u, err := url.Parse(t.URL); err == nil {
		if u.RawQuery != "" {
			secrets = append(secrets, u.RawQuery)
		}
		if len(u.Path) > 8 {
			secrets = append(secrets, u.Path)
		}
	}
	for _, values := range t.Headers {
		for _, value := range values {
			secrets = append(secrets, value, value[strings.LastIndexByte(value, ' ')+1:])
		}
	}
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "[redacted]")
		}
	}
	return text
}
