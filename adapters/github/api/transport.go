package api

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"
)

// userAgent is how the bridge calls itself; GitHub refuses requests without a name.
const userAgent = "argo-bridge"

// A meter passes the requests of one installation on, as far as its limits let it, and learns from the answers. Of a
// token that GitHub refuses it makes an error, which ghinstallation would not read.
type meter struct {
	installation int64
	limits       *limits
	next         http.RoundTripper
}

// RoundTrip sends one request.
func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	token := strings.HasSuffix(r.URL.Path, "/access_tokens")
	if err := m.limits.check(m.installation); err != nil && !token {
		closeBody(r)
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", userAgent)
	response, err := m.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusForbidden {
		nameSecondary(response)
	}
	if !token {
		m.limits.learn(m.installation, response)
		return response, nil
	}
	if err := github.CheckResponse(response); err != nil {
		_ = response.Body.Close()
		return nil, err
	}
	return response, nil
}

// nameSecondary gives a refusal for a secondary limit that names no time the minute that GitHub asks for: go-github
// would take the time from the header of the other limit, which may be an hour away.
func nameSecondary(r *http.Response) {
	if r.Header.Get("Retry-After") != "" || r.Header.Get("X-RateLimit-Remaining") == "0" {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	_ = r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err == nil && (bytes.Contains(body, []byte("secondary-rate-limits")) || bytes.Contains(body, []byte("abuse-rate-limits"))) {
		r.Header.Set("Retry-After", "60")
	}
}

// A renewing transport bears an installation's token, and gets a new one when GitHub no longer takes it before its time:
// it was revoked when the installation was suspended, or its key was.
type renewing struct {
	fresh   func() *ghinstallation.Transport
	current atomic.Pointer[ghinstallation.Transport]
}

func newRenewing(fresh func() *ghinstallation.Transport) *renewing {
	r := &renewing{fresh: fresh}
	r.current.Store(fresh())
	return r
}

// RoundTrip sends one request, and once more with a new token.
func (t *renewing) RoundTrip(r *http.Request) (*http.Response, error) {
	bearer := t.current.Load()
	response, err := bearer.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusUnauthorized || (r.Body != nil && r.GetBody == nil) {
		return response, err
	}
	again := r.Clone(r.Context())
	if r.GetBody != nil {
		if again.Body, err = r.GetBody(); err != nil {
			return response, nil //nolint:nilerr // the answer to the first request stands
		}
	}
	_ = response.Body.Close()
	t.current.CompareAndSwap(bearer, t.fresh())
	return t.current.Load().RoundTrip(again)
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}
