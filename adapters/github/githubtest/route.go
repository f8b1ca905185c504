package githubtest

import (
	"encoding/json"
	"net/http"
	"strings"
)

// A kind is who may use a route: asApp, anybody, or installation tokens with one of the sets of permissions in it, as
// the header X-Accepted-GitHub-Permissions writes them: "issues=write; pull_requests=write" wants one of the two,
// "contents=read,checks=write" both. The empty kind wants any installation token.
// https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible
type kind string

const (
	asApp   kind = "the App itself, by its JWT"
	anybody kind = "anybody"
)

// An identity is who a request is from.
type identity struct {
	// App: the App itself, by a JWT.
	App bool
	// Installation, its token's repositories (all of the installation's if it was not narrowed) and permissions.
	Installation int64
	Repositories []string
	Permissions  map[string]string
}

// handle registers a route. The handler runs when the request is from whom the route is for, its budget is not used up,
// and the repository /repos/{owner}/{repo} of the pattern is one that the token is for; it locks what it needs itself.
func (s *Server) handle(pattern string, who kind, h func(w http.ResponseWriter, r *http.Request, id identity)) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() == "" {
			fail(w, http.StatusForbidden, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header")
			return
		}
		if who == anybody {
			h(w, r, identity{})
			return
		}
		id, status, message := s.authenticate(r, who == asApp)
		if status == 0 {
			status, message = s.spend(w, id)
		}
		if status == 0 && who != asApp {
			status, message = s.permit(w, r, id, who)
		}
		if status != 0 {
			fail(w, status, message)
			return
		}
		h(w, r, id)
	})
}

// unknown answers where no route is: not even that is told to somebody whom GitHub does not know.
func (s *Server) unknown(w http.ResponseWriter, r *http.Request, _ identity) {
	app := strings.Count(r.Header.Get("Authorization"), ".") == 2
	if _, status, message := s.authenticate(r, app); status != 0 {
		fail(w, status, message)
		return
	}
	fail(w, http.StatusNotFound, "Not Found")
}

// permit refuses a repository that the token is not for as if it did not exist, and then a permission that it lacks.
func (s *Server) permit(w http.ResponseWriter, r *http.Request, id identity, who kind) (status int, message string) {
	if r.PathValue("repo") != "" && !id.has(fullName(r)) {
		return http.StatusNotFound, "Not Found"
	}
	if who == "" {
		return 0, ""
	}
	w.Header().Set("X-Accepted-GitHub-Permissions", string(who))
	for set := range strings.SplitSeq(string(who), ";") {
		if id.may(strings.TrimSpace(set)) {
			return 0, ""
		}
	}
	return http.StatusForbidden, "Resource not accessible by integration"
}

// fullName is owner/name of the repository in the path.
func fullName(r *http.Request) string { return r.PathValue("owner") + "/" + r.PathValue("repo") }

func (i identity) has(repository string) bool {
	for _, own := range i.Repositories {
		if strings.EqualFold(own, repository) {
			return true
		}
	}
	return false
}

// may says whether the token has all permissions of a list such as contents=read,checks=write.
func (i identity) may(list string) bool {
	for wanted := range strings.SplitSeq(list, ",") {
		name, level, _ := strings.Cut(wanted, "=")
		if rank(i.Permissions[name]) < rank(level) {
			return false
		}
	}
	return true
}

// rank orders the levels of an App's permissions.
func rank(level string) int {
	return map[string]int{"read": 1, "write": 2, "admin": 3}[level]
}

// reply answers with JSON.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if status != http.StatusNoContent {
		_ = json.NewEncoder(w).Encode(v)
	}
}

// fail answers with an error as GitHub writes it; details are the entries of a 422's list of errors.
func fail(w http.ResponseWriter, status int, message string, details ...map[string]string) {
	v := map[string]any{"message": message, "documentation_url": "https://docs.github.com/rest"}
	if len(details) > 0 {
		v["errors"] = details
	}
	reply(w, status, v)
}

// read decodes the request's body, and answers when it is no JSON object.
func read(w http.ResponseWriter, r *http.Request, v any) bool {
	if err := json.NewDecoder(r.Body).Decode(v); err != nil {
		fail(w, http.StatusBadRequest, "Problems parsing JSON")
		return false
	}
	return true
}
