package githubtest

import (
	"net/http"
	"strings"
)

// reports is what an App says of one repository's commits, issues and deployments.
type reports struct {
	checks      []*CheckRun
	statuses    []Status
	comments    []*Comment
	reactions   []Reaction
	deployments map[int64][]DeploymentStatus
}

// reportsOf returns those of a repository, made if need be. The caller holds mu.
func (s *Server) reportsOf(full string) *reports {
	full = strings.ToLower(full)
	if s.reports == nil {
		s.reports = map[string]*reports{}
	}
	if s.reports[full] == nil {
		s.reports[full] = &reports{deployments: map[int64][]DeploymentStatus{}}
	}
	return s.reports[full]
}

func (s *Server) routeReports() {
	s.routeChecks()
	s.routeStatuses()
	s.routeComments()
	s.routeReactions()
	s.routeDeployments()
}

// A refusal is an entry of a 422's list of errors.
type refusal = map[string]string

// missing, invalid and custom are GitHub's codes for what is wrong with a field:
// https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#validation-failed
func missing(resource, field string) refusal {
	return refusal{"resource": resource, "field": field, "code": "missing_field"}
}

func invalid(resource, field string) refusal {
	return refusal{"resource": resource, "field": field, "code": "invalid"}
}

func custom(resource, field, message string) refusal {
	return refusal{"resource": resource, "field": field, "code": "custom", "message": message}
}

// valid answers with 422 when something is wrong.
func valid(w http.ResponseWriter, wrong []refusal) bool {
	if len(wrong) > 0 {
		fail(w, http.StatusUnprocessableEntity, "Validation Failed", wrong...)
	}
	return len(wrong) == 0
}

// web says whether an address is one of the web, as details_url and target_url must be.
func web(address string) bool {
	return address == "" || strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
}
