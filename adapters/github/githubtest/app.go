package githubtest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"sync"
)

// An App is what the settings page of a GitHub App holds.
type App struct {
	Name string
	// Owner is the organization or user that it belongs to.
	Owner       string
	Permissions map[string]string
	Events      []string
	// HookURL is where its webhook delivers to, with HookSecret as the key of the signatures. Inactive: nothing is sent.
	HookURL, HookSecret string
	// ContentType is json, or GitHub's own default form.
	ContentType string
	// InsecureSSL is "1" when certificates are not verified.
	InsecureSSL string
	Inactive    bool
}

// application is the App's own state.
type application struct {
	App
	deliveries []*delivery // the oldest first
	manifests  map[string]*manifest
	sending    int        // attempts under way
	sent       *sync.Cond // with the Server's mu: one of them has ended
}

// SetApp sets what the App's page holds.
func (s *Server) SetApp(a App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.Permissions, a.Events = maps.Clone(a.Permissions), slices.Clone(a.Events)
	s.app.App = a
}

func (s *Server) routeApp() {
	s.app.manifests, s.app.sent = map[string]*manifest{}, sync.NewCond(&s.mu)
	s.handle("GET /app", asApp, s.showApp)
	s.handle("GET /app/hook/config", asApp, s.showHook)
	s.handle("PATCH /app/hook/config", asApp, s.changeHook)
	s.handle("GET /app/installations", asApp, s.listInstallations)
	s.handle("GET /installation/repositories", "", s.listRepositories)
	s.handle("GET /repos/{owner}/{repo}/installation", asApp, s.findInstallation)
	s.routeDeliveries()
	s.routeManifests()
}

// showApp: https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app
func (s *Server) showApp(w http.ResponseWriter, _ *http.Request, _ identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reply(w, http.StatusOK, s.appDocument(s.app.App, s.options.AppID, s.options.Slug))
}

// appDocument is an App as GitHub shows it. The caller holds mu.
func (s *Server) appDocument(a App, id int64, slug string) map[string]any {
	permissions := a.Permissions
	if permissions == nil {
		permissions = map[string]string{}
	}
	return map[string]any{
		"id": id, "slug": slug, "node_id": "A_1", "name": cmp.Or(a.Name, slug), "external_url": "https://example.com",
		"html_url": s.URL + "/apps/" + slug, "owner": map[string]any{"login": cmp.Or(a.Owner, "acme"), "type": "Organization"},
		"permissions": permissions, "events": append([]string{}, a.Events...), "installations_count": len(s.installations),
	}
}

// showHook: https://docs.github.com/en/rest/apps/webhooks#get-a-webhook-configuration-for-an-app
func (s *Server) showHook(w http.ResponseWriter, _ *http.Request, _ identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replyHook(w)
}

func (s *Server) replyHook(w http.ResponseWriter) {
	d := map[string]string{
		"url": s.app.HookURL, "content_type": cmp.Or(s.app.ContentType, "form"), "insecure_ssl": cmp.Or(s.app.InsecureSSL, "0"),
	}
	if s.app.HookSecret != "" {
		d["secret"] = "********"
	}
	reply(w, http.StatusOK, d)
}

func (s *Server) changeHook(w http.ResponseWriter, r *http.Request, _ identity) {
	var wanted struct {
		URL         *string `json:"url"`
		ContentType *string `json:"content_type"`
		Secret      *string `json:"secret"`
		InsecureSSL *string `json:"insecure_ssl"`
	}
	if !read(w, r, &wanted) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for to, value := range map[*string]*string{
		&s.app.HookURL: wanted.URL, &s.app.ContentType: wanted.ContentType, &s.app.HookSecret: wanted.Secret, &s.app.InsecureSSL: wanted.InsecureSSL,
	} {
		if value != nil {
			*to = *value
		}
	}
	s.replyHook(w)
}

// listInstallations: https://docs.github.com/en/rest/apps/apps#list-installations-for-the-authenticated-app
func (s *Server) listInstallations(w http.ResponseWriter, r *http.Request, _ identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(s.installations)) {
		list = append(list, s.installationDocument(s.installations[id]))
	}
	reply(w, http.StatusOK, page(w, r, list))
}

func (s *Server) installationDocument(i *Installation) map[string]any {
	kind := "Organization"
	if i.User {
		kind = "User"
	}
	d := map[string]any{
		"id": i.ID, "app_id": s.options.AppID, "app_slug": s.options.Slug, "target_type": kind, "account": map[string]any{"login": i.Account, "type": kind},
		"html_url": s.URL + "/organizations/" + i.Account + "/settings/installations", "repository_selection": "selected",
		"permissions": i.Permissions, "events": append([]string{}, i.Events...), "suspended_at": nil,
	}
	if i.Suspended {
		d["suspended_at"] = s.now().UTC()
	}
	return d
}

// listRepositories: https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation
func (s *Server) listRepositories(w http.ResponseWriter, r *http.Request, id identity) {
	list := []map[string]any{}
	for _, full := range id.Repositories {
		list = append(list, repositoryDocument(full))
	}
	reply(w, http.StatusOK, map[string]any{"total_count": len(list), "repository_selection": "selected", "repositories": page(w, r, list)})
}

// findInstallation: https://docs.github.com/en/rest/apps/apps#get-a-repository-installation-for-the-authenticated-app
func (s *Server) findInstallation(w http.ResponseWriter, r *http.Request, _ identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.installations {
		if (identity{Repositories: i.Repositories}).has(fullName(r)) {
			reply(w, http.StatusOK, s.installationDocument(i))
			return
		}
	}
	fail(w, http.StatusNotFound, "Not Found")
}
