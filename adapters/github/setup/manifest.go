package setup

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/argo-bridge/argo-bridge/adapters/github"
)

// A Manifest is what GitHub makes an App of:
// https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest#github-app-manifest-parameters
type Manifest struct {
	Name        string            `json:"name"`
	URL         string            `json:"url"`
	Hook        Hook              `json:"hook_attributes"`
	RedirectURL string            `json:"redirect_url,omitempty"`
	Description string            `json:"description"`
	Public      bool              `json:"public"`
	Permissions map[string]string `json:"default_permissions"`
	Events      []string          `json:"default_events"`
}

// A Hook is where an App's events go.
type Hook struct {
	URL    string `json:"url"`
	Active bool   `json:"active"`
}

// HookPath is where the bridge takes GitHub's deliveries.
const HookPath = "/webhooks/github"

// maxName is GitHub's limit of an App's name.
const maxName = 34

// Wanted is the App that is to be made.
type Wanted struct {
	// Name is the App's, unique in all of GitHub; default: argo-bridge-ORGANIZATION.
	Name string
	// Organization will own it; empty: the person who agrees.
	Organization string
	// URL is the public address of the bridge.
	URL string
	// GitHubURL is the address of a GitHub Enterprise Server; empty: github.com.
	GitHubURL string
	Needs     Needs
}

var organizationPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}$`)

// Defaults returns w with what is not set.
func (w Wanted) Defaults() Wanted {
	w.URL = strings.TrimSuffix(strings.TrimRight(w.URL, "/"), HookPath)
	if w.Name != "" {
		return w
	}
	if w.Name = "argo-bridge"; w.Organization != "" {
		w.Name += "-" + w.Organization
	}
	if len(w.Name) > maxName {
		w.Name = strings.TrimRight(w.Name[:maxName], "-")
	}
	return w
}

// Validate names every bad field by its flag.
func (w Wanted) Validate() error {
	var errs []error
	u, err := url.Parse(w.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.RawQuery != "" || u.User != nil {
		errs = append(errs, fmt.Errorf("--url: %q is no address such as https://bridge.example.com, at which GitHub reaches the bridge", w.URL))
	}
	if w.Organization != "" && !organizationPattern.MatchString(w.Organization) {
		errs = append(errs, fmt.Errorf("--organization: %q is no organization's name", w.Organization))
	}
	if w.Name == "" || len(w.Name) > maxName {
		errs = append(errs, fmt.Errorf("--name: %q has not 1 to %d characters", w.Name, maxName))
	}
	if _, err := github.Root(w.GitHubURL); err != nil {
		errs = append(errs, fmt.Errorf("--github-url: %w", err))
	}
	return errors.Join(errs...)
}

// Manifest describes the App.
func (w Wanted) Manifest() Manifest {
	return Manifest{
		Name: w.Name, URL: w.URL, Hook: Hook{w.URL + HookPath, true}, Description: "Starts WorkflowTemplates of Argo Workflows by events of GitHub.",
		Permissions: w.Needs.Permissions(), Events: w.Needs.Events(),
	}
}

// newApp is the page of GitHub on which somebody agrees to the manifest.
func (w Wanted) newApp(state string) string {
	path := "/settings/apps/new"
	if w.Organization != "" {
		path = "/organizations/" + url.PathEscape(w.Organization) + path
	}
	return Web(w.GitHubURL) + path + "?state=" + url.QueryEscape(state)
}

// Web is the address of GitHub's pages, without a slash at its end, for a base URL as [github.Root] takes it.
func Web(baseURL string) string {
	u, err := url.Parse(strings.TrimRight(baseURL, "/"))
	if baseURL == "" || err != nil {
		return "https://github.com"
	}
	u.Host = strings.TrimPrefix(u.Host, "api.")
	u.Path = strings.TrimSuffix(u.Path, "/api/v3")
	return u.String()
}
