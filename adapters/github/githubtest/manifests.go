package githubtest

import (
	"cmp"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// manifestLife is how long the code of a manifest can be exchanged, once:
// https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest#handling-redirects
const manifestLife = time.Hour

// A manifest is one that somebody has agreed to.
type manifest struct {
	app  App
	slug string
	at   time.Time
}

func (s *Server) routeManifests() {
	s.mux.HandleFunc("POST /organizations/{owner}/settings/apps/new", s.register)
	s.mux.HandleFunc("POST /settings/apps/new", s.register)
	s.handle("POST /app-manifests/{code}/conversions", anybody, s.convert)
}

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

// register is GitHub's page for an App from a manifest, with the click of a person who agrees.
func (s *Server) register(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Name        string            `json:"name"`
		URL         string            `json:"url"`
		RedirectURL string            `json:"redirect_url"`
		Permissions map[string]string `json:"default_permissions"`
		Events      []string          `json:"default_events"`
		Hook        *struct {
			URL    string `json:"url"`
			Active *bool  `json:"active"`
		} `json:"hook_attributes"`
	}
	err := json.Unmarshal([]byte(r.FormValue("manifest")), &m)
	back, parseErr := url.Parse(m.RedirectURL)
	if err != nil || parseErr != nil || m.URL == "" || m.RedirectURL == "" || m.Hook != nil && m.Hook.URL == "" {
		http.Error(w, "Invalid GitHub App configuration: "+html.EscapeString(r.FormValue("manifest")), http.StatusUnprocessableEntity)
		return
	}
	a := App{Name: m.Name, Owner: cmp.Or(r.PathValue("owner"), "octocat"), Permissions: m.Permissions, Events: m.Events, ContentType: "json"}
	if m.Hook != nil {
		a.HookURL, a.Inactive = m.Hook.URL, m.Hook.Active != nil && !*m.Hook.Active
	}
	code := newGUID()
	s.mu.Lock()
	s.app.manifests[code] = &manifest{app: a, slug: strings.Trim(notSlug.ReplaceAllString(strings.ToLower(m.Name), "-"), "-"), at: s.now()}
	s.mu.Unlock()
	query := back.Query()
	query.Set("code", code)
	if state := r.URL.Query().Get("state"); state != "" {
		query.Set("state", state)
	}
	back.RawQuery = query.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// convert exchanges a code; the App becomes the Server's own.
// https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest
func (s *Server) convert(w http.ResponseWriter, r *http.Request, _ identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.app.manifests[r.PathValue("code")]
	if m == nil || s.now().Sub(m.at) > manifestLife {
		fail(w, http.StatusNotFound, "Not Found")
		return
	}
	delete(s.app.manifests, r.PathValue("code"))
	m.app.HookSecret = strings.ReplaceAll(newGUID(), "-", "")
	s.app.App, s.options.Slug = m.app, m.slug
	d := s.appDocument(m.app, s.options.AppID, m.slug)
	d["client_id"], d["client_secret"] = "Iv1.0123456789abcdef", newGUID()
	d["webhook_secret"], d["pem"] = m.app.HookSecret, string(KeyPEM())
	reply(w, http.StatusCreated, d)
}
