package githubtest

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"
)

// jwtClient is an App's client of its own.
func jwtClient(t *testing.T, s *Server, id int64) *github.Client {
	t.Helper()
	transport, err := ghinstallation.NewAppsTransport(http.DefaultTransport, id, KeyPEM())
	if err != nil {
		t.Fatal(err)
	}
	client, err := github.NewClient(&http.Client{Transport: transport}).WithEnterpriseURLs(s.URL, s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestTokensAreNarrowedAndRefused(t *testing.T) {
	t.Parallel()
	s := New(t, Options{AppID: 5})
	s.Install(Installation{ID: 7, Account: "acme", Repositories: []string{"acme/app", "acme/web"}})
	s.Install(Installation{ID: 8, Account: "other", Repositories: []string{"other/app"}, Suspended: true})
	app := jwtClient(t, s, 5)
	issue := func(c *github.Client, id int64, o *github.InstallationTokenOptions) (string, int, *github.InstallationToken) {
		token, response, err := c.Apps.CreateInstallationToken(context.Background(), id, o)
		if err != nil {
			return err.Error(), response.StatusCode, nil
		}
		return "", response.StatusCode, token
	}
	_, status, token := issue(app, 7, &github.InstallationTokenOptions{Repositories: []string{"web"}})
	if status != http.StatusCreated || len(token.Repositories) != 1 || token.Repositories[0].GetFullName() != "acme/web" {
		t.Fatal(status, token)
	}
	if left := time.Until(token.GetExpiresAt().Time); left < 59*time.Minute || left > time.Hour {
		t.Error(left)
	}
	for name, c := range map[string]struct {
		client *github.Client
		id     int64
		o      *github.InstallationTokenOptions
		status int
	}{
		"another App":                        {jwtClient(t, s, 6), 7, nil, http.StatusUnauthorized},
		"no installation":                    {app, 9, nil, http.StatusNotFound},
		"a suspended installation":           {app, 8, nil, http.StatusForbidden},
		"a repository of another":            {app, 7, &github.InstallationTokenOptions{Repositories: []string{"none"}}, http.StatusUnprocessableEntity},
		"a permission that is not granted":   {app, 7, &github.InstallationTokenOptions{Permissions: &github.InstallationPermissions{Secrets: github.String("read")}}, http.StatusUnprocessableEntity},
		"more of a permission than is given": {app, 7, &github.InstallationTokenOptions{Permissions: &github.InstallationPermissions{Contents: github.String("write")}}, http.StatusUnprocessableEntity},
	} {
		if text, status, _ := issue(c.client, c.id, c.o); status != c.status {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
}

func TestPagesAreLinked(t *testing.T) {
	t.Parallel()
	s := New(t, Options{})
	s.handle("GET /numbers", anybody, func(w http.ResponseWriter, r *http.Request, _ identity) {
		reply(w, http.StatusOK, page(w, r, slices.Repeat([]int{1}, 205)))
	})
	get := func(query string) (int, string) {
		r, err := http.Get(s.URL + "/api/v3/numbers" + query)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		var list []int
		if err := decodeBody(r, &list); err != nil {
			t.Fatal(err)
		}
		return len(list), r.Header.Get("Link")
	}
	for query, want := range map[string]struct {
		n     int
		links []string
	}{
		"":                      {30, []string{`page=2>; rel="next"`, `page=7>; rel="last"`}},
		"?per_page=1000":        {100, []string{`page=2&per_page=1000>; rel="next"`, "/api/v3/numbers"}},
		"?per_page=100&page=3":  {5, []string{`page=2&per_page=100>; rel="prev"`, `rel="first"`}},
		"?per_page=100&page=99": {0, []string{`rel="prev"`}},
	} {
		n, link := get(query)
		for _, part := range want.links {
			if !strings.Contains(link, part) {
				t.Errorf("%q: %s has no %s", query, link, part)
			}
		}
		if n != want.n {
			t.Errorf("%q: %d", query, n)
		}
	}
}

func TestFaultsAreMadeInTheirOrderAndALostAnswerHasItsEffect(t *testing.T) {
	t.Parallel()
	s := New(t, Options{})
	effects := 0
	s.handle("POST /things", anybody, func(w http.ResponseWriter, _ *http.Request, _ identity) {
		effects++
		reply(w, http.StatusCreated, nil)
	})
	s.Fail("POST /things", Fault{Status: 502}, Fault{Secondary: true, RetryAfter: 9}, Fault{Primary: time.Minute}, Fault{Lost: true})
	var got []int
	for range 5 {
		r, err := http.Post(s.URL+"/things", "", http.NoBody)
		if err != nil {
			got = append(got, 0)
			continue
		}
		got = append(got, r.StatusCode)
		_ = r.Body.Close()
	}
	if !slices.Equal(got, []int{502, 403, 403, 0, 201}) || effects != 2 || s.Count("POST /things") != 5 {
		t.Error(got, effects, s.Requests())
	}
}
