package githubtest

import (
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tokenLife is how long an installation token holds:
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app
const tokenLife = time.Hour

// An Installation is the App on an organization or user.
type Installation struct {
	ID      int64
	Account string
	// User: the account is a user's and not an organization's.
	User bool
	// Repositories are owner/name.
	Repositories []string
	// Permissions are what the account has granted; DefaultPermissions if nil. Events are what it is sent.
	Permissions map[string]string
	Events      []string
	Suspended   bool
}

// DefaultPermissions are those that the bridge asks for.
func DefaultPermissions() map[string]string {
	return map[string]string{
		"metadata": "read", "contents": "read", "pull_requests": "write", "issues": "write", "checks": "write", "statuses": "write",
		"deployments": "write", "members": "read",
	}
}

type token struct {
	identity
	expires time.Time
}

// Install puts the App on an account, or changes what was installed under the same id.
func (s *Server) Install(i Installation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.Permissions == nil {
		i.Permissions = DefaultPermissions()
	}
	i.Repositories, i.Permissions = slices.Clone(i.Repositories), maps.Clone(i.Permissions)
	s.installations[i.ID] = &i
}

// Suspend suspends an installation, or lets it work again: its tokens do not hold meanwhile.
func (s *Server) Suspend(id int64, suspended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.installations[id].Suspended = suspended
}

// Uninstall takes the App off an account, which revokes its tokens.
func (s *Server) Uninstall(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.installations, id)
}

// RevokeTokens makes all installation tokens invalid.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// bearer says whose an installation token is. What the installation has lost since, the token has lost too.
func (s *Server) bearer(secret string) (id identity, status int, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tokens[secret]
	if t == nil || !s.now().Before(t.expires) {
		return id, http.StatusUnauthorized, "Bad credentials"
	}
	i := s.installations[t.Installation]
	switch {
	case i == nil:
		return id, http.StatusUnauthorized, "Bad credentials"
	case i.Suspended:
		return id, http.StatusForbidden, "This installation has been suspended"
	}
	id = t.identity
	id.Repositories = slices.DeleteFunc(slices.Clone(id.Repositories), func(name string) bool { return !slices.Contains(i.Repositories, name) })
	return id, 0, ""
}

func (s *Server) routeTokens() {
	s.handle("POST /app/installations/{installation}/access_tokens", asApp, s.issue)
}

// issue makes an installation token: https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
func (s *Server) issue(w http.ResponseWriter, r *http.Request, _ identity) {
	var wanted struct {
		Repositories []string          `json:"repositories"`
		IDs          []int64           `json:"repository_ids"`
		Permissions  map[string]string `json:"permissions"`
	}
	if r.ContentLength > 0 && !read(w, r, &wanted) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id, _ := strconv.ParseInt(r.PathValue("installation"), 10, 64)
	i := s.installations[id]
	switch {
	case i == nil:
		fail(w, http.StatusNotFound, "Not Found")
		return
	case i.Suspended:
		fail(w, http.StatusForbidden, "This installation has been suspended")
		return
	}
	t := &token{identity{Installation: id, Repositories: i.Repositories, Permissions: i.Permissions}, s.now().Add(tokenLife).Truncate(time.Second)}
	if message := t.narrow(wanted.Repositories, wanted.IDs, wanted.Permissions); message != "" {
		fail(w, http.StatusUnprocessableEntity, message)
		return
	}
	secret := fmt.Sprintf("ghs_%d_%d", id, s.nextID())
	s.tokens[secret] = t
	reply(w, http.StatusCreated, t.document(secret))
}

// narrow limits a token to what was asked for, or says why it cannot.
func (t *token) narrow(names []string, ids []int64, permissions map[string]string) string {
	if len(names)+len(ids) > 0 {
		own := t.Repositories
		t.Repositories = nil
		for _, full := range own {
			if _, name, _ := strings.Cut(full, "/"); slices.Contains(names, name) || slices.Contains(ids, RepositoryID(full)) {
				t.Repositories = append(t.Repositories, full)
			}
		}
		if len(t.Repositories) < len(names)+len(ids) {
			return "There is at least one repository that does not exist or is not accessible to the parent installation."
		}
	}
	for name, level := range permissions {
		if rank(level) == 0 || rank(level) > rank(t.Permissions[name]) {
			return "The permissions requested are not granted to this installation."
		}
	}
	if permissions != nil {
		t.Permissions = permissions
	}
	return ""
}

func (t *token) document(secret string) map[string]any {
	repositories := []map[string]any{}
	for _, full := range t.Repositories {
		repositories = append(repositories, repositoryDocument(full))
	}
	return map[string]any{
		"token": secret, "expires_at": t.expires.UTC().Format(time.RFC3339), "permissions": t.Permissions,
		"repository_selection": "selected", "repositories": repositories,
	}
}

// RepositoryID is the id of a repository, by its owner/name.
func RepositoryID(full string) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(full)))
	return int64(h.Sum32())
}

// repositoryDocument is a repository as other objects show it.
func repositoryDocument(full string) map[string]any {
	owner, name, _ := strings.Cut(full, "/")
	return map[string]any{
		"id": RepositoryID(full), "name": name, "full_name": full, "private": true, "default_branch": "main",
		"owner": map[string]any{"login": owner, "type": "Organization"},
	}
}
