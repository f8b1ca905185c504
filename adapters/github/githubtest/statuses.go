package githubtest

import (
	"net/http"
	"slices"
	"unicode/utf8"
)

// A Status is a commit status: https://docs.github.com/en/rest/commits/statuses
type Status struct {
	SHA         string `json:"-"`
	State       string `json:"state"`
	Context     string `json:"context"`
	Description string `json:"description"`
	TargetURL   string `json:"target_url"`
}

// maxDescription is how many characters the description of a status, or of a deployment status, may have.
const maxDescription = 140

// maxStatuses is how many statuses a commit may have of one context.
const maxStatuses = 1000

// Statuses are the commit statuses of a repository, the oldest first; the newest of a context counts.
func (s *Server) Statuses(repository string) []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reportsOf(repository).statuses)
}

func (s *Server) routeStatuses() {
	s.handle("POST /repos/{owner}/{repo}/statuses/{sha}", "statuses=write", func(w http.ResponseWriter, r *http.Request, _ identity) {
		q := Status{SHA: r.PathValue("sha"), Context: "default"}
		if !read(w, r, &q) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		all := s.reportsOf(fullName(r))
		if !valid(w, q.faults(all.statuses)) {
			return
		}
		all.statuses = append(all.statuses, q)
		reply(w, http.StatusCreated, map[string]any{
			"id": s.nextID(), "state": q.State, "context": q.Context, "description": q.Description, "target_url": q.TargetURL,
		})
	})
}

func (q Status) faults(have []Status) (wrong []refusal) {
	if !slices.Contains([]string{"error", "failure", "pending", "success"}, q.State) {
		wrong = append(wrong, invalid("Status", "state"))
	}
	if utf8.RuneCountInString(q.Description) > maxDescription {
		wrong = append(wrong, custom("Status", "description", "description is too long (maximum is 140 characters)"))
	}
	if !web(q.TargetURL) {
		wrong = append(wrong, custom("Status", "target_url", "target_url must use http(s) scheme"))
	}
	same := 0
	for _, h := range have {
		if h.SHA == q.SHA && h.Context == q.Context {
			same++
		}
	}
	if same >= maxStatuses {
		wrong = append(wrong, custom("Status", "", "This SHA and context has reached the maximum number of statuses."))
	}
	return wrong
}
