package githubtest

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-github/v60/github"
)

// tokenClient is a client with an installation's token.
func tokenClient(t *testing.T, s *Server, installation int64, o *github.InstallationTokenOptions) *github.Client {
	t.Helper()
	token, _, err := jwtClient(t, s, s.AppID()).Apps.CreateInstallationToken(context.Background(), installation, o)
	if err != nil {
		t.Fatal(err)
	}
	client, err := github.NewClient(nil).WithAuthToken(token.GetToken()).WithEnterpriseURLs(s.URL, s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func files(n int) []File {
	list := make([]File, n)
	for i := range list {
		list[i].Name = fmt.Sprintf("f%04d", i)
	}
	return list
}

func TestDiffsEndAtGitHubsLimits(t *testing.T) {
	t.Parallel()
	s, ctx := New(t, Options{}), context.Background()
	s.Install(Installation{ID: 7, Account: "acme", Repositories: []string{"acme/app", "acme/web"}})
	s.SetPull("acme/app", Pull{Number: 3, Files: files(3100)})
	s.SetComparison("acme/app", "a", "b", files(301), Commit{SHA: "1"}, Commit{SHA: "2"})
	c := tokenClient(t, s, 7, nil)
	total := 0
	for o := (&github.ListOptions{PerPage: 100}); ; {
		part, response, err := c.PullRequests.ListFiles(ctx, "acme", "app", 3, o)
		if err != nil {
			t.Fatal(err)
		}
		total += len(part)
		if o.Page = response.NextPage; o.Page == 0 {
			break
		}
	}
	if total != 3000 {
		t.Error(total, "files of the pull request")
	}
	first, response, err := c.Repositories.CompareCommits(ctx, "acme", "app", "a", "b", &github.ListOptions{PerPage: 1})
	if err != nil || len(first.Files) != 300 || len(first.Commits) != 1 || response.NextPage != 2 {
		t.Error(len(first.Files), len(first.Commits), response.NextPage, err)
	}
	second, _, err := c.Repositories.CompareCommits(ctx, "acme", "app", "a", "b", &github.ListOptions{PerPage: 1, Page: 2})
	if err != nil || len(second.Files) != 0 || len(second.Commits) != 1 {
		t.Error(len(second.Files), len(second.Commits), err)
	}
}

func TestARepositoryThatATokenIsNotForDoesNotExist(t *testing.T) {
	t.Parallel()
	s, ctx := New(t, Options{}), context.Background()
	s.Install(Installation{ID: 7, Account: "acme", Repositories: []string{"acme/app", "acme/web"}})
	for _, name := range []string{"acme/app", "acme/web"} {
		s.SetPull(name, Pull{Number: 3})
	}
	get := func(o *github.InstallationTokenOptions, repository string) (int, string) {
		_, response, err := tokenClient(t, s, 7, o).PullRequests.Get(ctx, "acme", repository, 3)
		if err != nil && response == nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Header.Get("X-Accepted-GitHub-Permissions")
	}
	narrowed := &github.InstallationTokenOptions{Repositories: []string{"app"}}
	if status, _ := get(narrowed, "app"); status != http.StatusOK {
		t.Error("its own:", status)
	}
	if status, _ := get(narrowed, "web"); status != http.StatusNotFound {
		t.Error("another:", status)
	}
	lacking := &github.InstallationTokenOptions{Permissions: &github.InstallationPermissions{Contents: github.String("read")}}
	if status, accepted := get(lacking, "app"); status != http.StatusForbidden || accepted != "pull_requests=read" {
		t.Error("without the permission:", status, accepted)
	}
}
