package githubtest

import (
	"net/http"
	"slices"
)

// A Reaction is a reaction of the App to a comment: https://docs.github.com/en/rest/reactions/reactions
type Reaction struct {
	// Kind is where the comment stands: issue, review or commit.
	Kind    string
	Comment string
	Content string
}

// Reactions are the App's reactions in a repository, the oldest first.
func (s *Server) Reactions(repository string) []Reaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reportsOf(repository).reactions)
}

func (s *Server) routeReactions() {
	const at = "POST /repos/{owner}/{repo}"
	s.handle(at+"/issues/comments/{id}/reactions", "issues=write; pull_requests=write", s.react("issue"))
	s.handle(at+"/pulls/comments/{id}/reactions", "pull_requests=write", s.react("review"))
	s.handle(at+"/comments/{id}/reactions", "", s.react("commit"))
}

// react answers 200 for a reaction that is there already.
func (s *Server) react(kind string) func(http.ResponseWriter, *http.Request, identity) {
	return func(w http.ResponseWriter, r *http.Request, _ identity) {
		var q struct {
			Content string `json:"content"`
		}
		if !read(w, r, &q) {
			return
		}
		if !slices.Contains([]string{"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}, q.Content) {
			valid(w, []refusal{invalid("Reaction", "content")})
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		all := s.reportsOf(fullName(r))
		reaction, status := Reaction{kind, r.PathValue("id"), q.Content}, http.StatusOK
		if !slices.Contains(all.reactions, reaction) {
			all.reactions = append(all.reactions, reaction)
			status = http.StatusCreated
		}
		reply(w, status, map[string]any{"id": s.nextID(), "content": q.Content})
	}
}
