package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-github/v60/github"
)

// answered is the error that go-github makes of an answer.
func answered(status int, body, path string, header ...string) error {
	r := &http.Response{
		StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
		Request: &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: "api.github.com", Path: path}},
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return fmt.Errorf("do something: %w", github.CheckResponse(r))
}

func TestClassify(t *testing.T) {
	t.Parallel()
	const secondary = `{"message":"You have exceeded a secondary rate limit.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`
	const refused = `{"message":"Resource not accessible by integration"}`
	inTen := fmt.Sprint(time.Now().Add(10 * time.Minute).Unix())
	for name, c := range map[string]struct {
		err       error
		permanent bool
		from, to  time.Duration // to wait; 0: no time is named
		text      string
	}{
		"a limit that is used up":                    {err: answered(403, `{}`, "", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", inTen), from: 10*time.Minute - 2*time.Second, to: 10*time.Minute + 3*time.Second},
		"one that is full again":                     {err: answered(403, `{}`, "", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1000"), from: time.Second, to: 3 * time.Second},
		"one without a time":                         {err: answered(403, `{}`, "", "X-RateLimit-Remaining", "0"), from: time.Minute, to: time.Minute},
		"429 that is used up":                        {err: answered(429, `{}`, "", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", inTen), from: 10*time.Minute - 2*time.Second, to: 10*time.Minute + 3*time.Second},
		"a secondary limit with a time":              {err: answered(403, secondary, "", "Retry-After", "30"), from: 30 * time.Second, to: 31 * time.Second},
		"a secondary limit without one":              {err: answered(403, secondary, ""), from: time.Minute, to: time.Minute},
		"a secondary limit beside the other's reset": {err: answered(403, secondary, "", "X-RateLimit-Remaining", "4000", "X-RateLimit-Reset", inTen), from: time.Minute, to: time.Minute},
		"429 with a time":                            {err: answered(429, `{}`, "", "Retry-After", "5"), from: 5 * time.Second, to: 6 * time.Second},
		"429 without one":                            {err: answered(429, `{}`, ""), from: time.Minute, to: time.Minute},
		"503 with a time":                            {err: answered(503, ``, "", "Retry-After", "5"), from: 5 * time.Second, to: 6 * time.Second},
		"502":                                        {err: answered(502, `<html>`, "")},
		"500":                                        {err: answered(500, `{}`, "")},
		"a conflict":                                 {err: answered(409, `{}`, "")},
		"the network":                                {err: &url.Error{Op: "Get", URL: "https://api.github.com", Err: errors.New("connection refused")}},
		"the end of a context":                       {err: context.DeadlineExceeded},
		"a job that is under way":                    {err: answered(202, `{}`, "")},
		"401":                                        {err: answered(401, `{"message":"Bad credentials"}`, ""), permanent: true, text: "check github.app.id"},
		"a missing permission":                       {err: answered(403, refused, "", "X-Accepted-GitHub-Permissions", "issues=write; pull_requests=write"), permanent: true, text: "needs the permission issues=write or pull_requests=write: grant it"},
		"a missing permission without a name":        {err: answered(403, refused, ""), permanent: true, text: "argo-bridge github check"},
		"a suspended installation":                   {err: answered(403, `{"message":"This installation has been suspended"}`, "/app/installations/1/access_tokens"), permanent: true, text: "unsuspend"},
		"an archived repository":                     {err: answered(403, `{"message":"Repository was archived so is read-only."}`, ""), permanent: true, text: "read-only"},
		"a token for nothing":                        {err: answered(404, `{"message":"Not Found"}`, "/app/installations/1/access_tokens"), permanent: true, text: "install it again"},
		"a token for another repository":             {err: answered(422, `{"message":"There is at least one"}`, "/app/installations/1/access_tokens"), permanent: true, text: "does not cover"},
		"404":                                        {err: answered(404, `{"message":"Not Found"}`, "/repos/a/b"), permanent: true, text: "does not exist, or"},
		"410":                                        {err: answered(410, `{"message":"Issues are disabled for this repo"}`, ""), permanent: true, text: "disabled"},
		"422":                                        {err: answered(422, `{"message":"Validation Failed"}`, ""), permanent: true, text: "Validation Failed"},
		"451":                                        {err: answered(451, `{"message":"Repository access blocked"}`, ""), permanent: true, text: "blocked the repository"},
		"what is classified already":                 {err: bridge.RetryAfter(errors.New("later"), time.Hour), from: time.Hour, to: time.Hour},
		"what is permanent already":                  {err: bridge.Permanent(context.Canceled), permanent: true},
	} {
		got := Classify(c.err)
		if bridge.IsPermanent(got) != c.permanent || !errors.Is(got, c.err) || !strings.Contains(got.Error(), c.text) {
			t.Errorf("%s: permanent %v: %v", name, bridge.IsPermanent(got), got)
		}
		if wait, named := bridge.Wait(got); named != (c.to > 0) || wait < c.from || wait > c.to {
			t.Errorf("%s: wait %v, %v", name, wait, named)
		}
	}
	if Classify(nil) != nil {
		t.Error("nil is an error")
	}
}
