package githubtest

import (
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"
)

// A DeploymentStatus is a status of a deployment: https://docs.github.com/en/rest/deployments/statuses
type DeploymentStatus struct {
	ID             int64  `json:"id"`
	State          string `json:"state"`
	Description    string `json:"description"`
	LogURL         string `json:"log_url"`
	EnvironmentURL string `json:"environment_url"`
}

// DeploymentStatuses are the statuses of a deployment, the oldest first.
func (s *Server) DeploymentStatuses(repository string, deployment int64) []DeploymentStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reportsOf(repository).deployments[deployment])
}

func (s *Server) routeDeployments() {
	const at = "/repos/{owner}/{repo}/deployments/{deployment}/statuses"
	s.handle("POST "+at, "deployments=write", func(w http.ResponseWriter, r *http.Request, _ identity) {
		var q DeploymentStatus
		if !read(w, r, &q) || !valid(w, q.faults()) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		q.ID = s.nextID()
		deployment, _ := strconv.ParseInt(r.PathValue("deployment"), 10, 64)
		all := s.reportsOf(fullName(r)).deployments
		all[deployment] = append(all[deployment], q)
		reply(w, http.StatusCreated, q)
	})
	s.handle("GET "+at, "deployments=read", func(w http.ResponseWriter, r *http.Request, _ identity) {
		s.mu.Lock()
		defer s.mu.Unlock()
		deployment, _ := strconv.ParseInt(r.PathValue("deployment"), 10, 64)
		all := slices.Clone(s.reportsOf(fullName(r)).deployments[deployment])
		slices.Reverse(all) // the newest first
		reply(w, http.StatusOK, page(w, r, all))
	})
}

func (q DeploymentStatus) faults() (wrong []refusal) {
	const on = "DeploymentStatus"
	if !slices.Contains([]string{"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}, q.State) {
		wrong = append(wrong, invalid(on, "state"))
	}
	if utf8.RuneCountInString(q.Description) > maxDescription {
		wrong = append(wrong, custom(on, "description", "description is too long (maximum is 140 characters)"))
	}
	if !web(q.LogURL) {
		wrong = append(wrong, custom(on, "log_url", "log_url must use http(s) scheme"))
	}
	if !web(q.EnvironmentURL) {
		wrong = append(wrong, custom(on, "environment_url", "environment_url must use http(s) scheme"))
	}
	return wrong
}
