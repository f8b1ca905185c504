package githubtest

import (
	"cmp"
	"net/http"
	"strings"
)

// SetPermission says what a user may do in a repository: read, triage, write, maintain or admin; none where nothing was
// said.
func (s *Server) SetPermission(repository, login, permission string) {
	legacy := map[string]string{"triage": "read", "maintain": "write"}
	s.SetRole(repository, login, cmp.Or(legacy[permission], permission), permission)
}

// SetRole gives a user a custom role of the organization, and the permission that it inherits from.
func (s *Server) SetRole(repository, login, permission, role string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in(repository).permissions[strings.ToLower(login)] = [2]string{permission, role}
}

// SetMember makes a user a member of a team: state is active, pending, or empty for none.
func (s *Server) SetMember(organization, team, login, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.teams[strings.ToLower(organization+"/"+team+"/"+login)] = state
}

func (s *Server) routePeople() {
	s.handle("GET /repos/{owner}/{repo}/collaborators/{login}/permission", "metadata=read", s.getPermission)
	s.handle("GET /orgs/{organization}/teams/{team}/memberships/{login}", "members=read", s.getMembership)
}

// getPermission: https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
func (s *Server) getPermission(w http.ResponseWriter, r *http.Request, _ identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	login := r.PathValue("login")
	p, ok := s.in(fullName(r)).permissions[strings.ToLower(login)]
	if !ok {
		p = [2]string{"none", "none"}
	}
	reply(w, http.StatusOK, map[string]any{"permission": p[0], "role_name": p[1], "user": map[string]any{"login": login, "type": "User"}})
}

// getMembership: https://docs.github.com/en/rest/teams/members#get-team-membership-for-a-user
// A team of an organization that the App is not installed on does not exist for its token.
func (s *Server) getMembership(w http.ResponseWriter, r *http.Request, id identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	organization := r.PathValue("organization")
	state := s.teams[strings.ToLower(organization+"/"+r.PathValue("team")+"/"+r.PathValue("login"))]
	if i := s.installations[id.Installation]; i == nil || !strings.EqualFold(i.Account, organization) || state == "" {
		fail(w, http.StatusNotFound, "Not Found")
		return
	}
	reply(w, http.StatusOK, map[string]string{"state": state, "role": "member", "url": s.URL + r.URL.Path})
}
