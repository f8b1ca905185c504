package githubtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A CheckRun is a check run: https://docs.github.com/en/rest/checks/runs
type CheckRun struct {
	ID         int64
	Name       string
	HeadSHA    string
	ExternalID string
	DetailsURL string
	Status     string
	Conclusion string // empty unless Status is completed
	Title      string
	Summary    string
	// Annotations are those of all requests; each appends its own.
	Annotations            []Annotation
	Actions                []Action
	StartedAt, CompletedAt time.Time
	// History are all states that it has had, as status or completed/conclusion, one for each request.
	History []string
}

// An Annotation is a line of a file that a check run speaks of.
type Annotation struct {
	Path        string `json:"path"`
	StartLine   int    `json:"start_line"`
	EndLine     int    `json:"end_line"`
	StartColumn int    `json:"start_column,omitempty"`
	EndColumn   int    `json:"end_column,omitempty"`
	Level       string `json:"annotation_level"`
	Message     string `json:"message"`
	Title       string `json:"title,omitempty"`
}

// An Action is a button of a check run.
type Action struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Identifier  string `json:"identifier"`
}

// checkRequest is what creates or updates a check run.
type checkRequest struct {
	Name        string     `json:"name"`
	HeadSHA     string     `json:"head_sha"`
	ExternalID  *string    `json:"external_id"`
	DetailsURL  *string    `json:"details_url"`
	Status      string     `json:"status"`
	Conclusion  string     `json:"conclusion"`
	StartedAt   *time.Time `json:"started_at"`
	CompletedAt *time.Time `json:"completed_at"`
	Output      *struct {
		Title       string       `json:"title"`
		Summary     string       `json:"summary"`
		Text        string       `json:"text"`
		Annotations []Annotation `json:"annotations"`
	} `json:"output"`
	Actions *[]Action `json:"actions"`
}

// CheckRuns are the check runs of a repository, the oldest first.
func (s *Server) CheckRuns(repository string) []CheckRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []CheckRun
	for _, c := range s.reportsOf(repository).checks {
		copied := *c
		copied.History, copied.Annotations = slices.Clone(c.History), slices.Clone(c.Annotations)
		all = append(all, copied)
	}
	return all
}

func (s *Server) routeChecks() {
	const at = "/repos/{owner}/{repo}"
	s.handle("POST "+at+"/check-runs", "checks=write", s.createCheck)
	s.handle("PATCH "+at+"/check-runs/{id}", "checks=write", s.updateCheck)
	s.handle("GET "+at+"/check-runs/{id}", "checks=read", func(w http.ResponseWriter, r *http.Request, _ identity) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if c, ok := s.check(w, r); ok {
			reply(w, http.StatusOK, s.checkDocument(c))
		}
	})
	s.handle("GET "+at+"/check-runs/{id}/annotations", "checks=read", func(w http.ResponseWriter, r *http.Request, _ identity) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if c, ok := s.check(w, r); ok {
			reply(w, http.StatusOK, page(w, r, c.Annotations))
		}
	})
	s.handle("GET "+at+"/commits/{ref}/check-runs", "checks=read", s.listChecks)
}

// check finds the check run of the path, and answers when there is none. The caller holds mu.
func (s *Server) check(w http.ResponseWriter, r *http.Request) (*CheckRun, bool) {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	for _, c := range s.reportsOf(fullName(r)).checks {
		if c.ID == id {
			return c, true
		}
	}
	fail(w, http.StatusNotFound, "Not Found")
	return nil, false
}

func (s *Server) createCheck(w http.ResponseWriter, r *http.Request, _ identity) {
	var q checkRequest
	if !read(w, r, &q) || !valid(w, q.faults(true)) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &CheckRun{ID: s.nextID(), HeadSHA: q.HeadSHA, Status: "queued", StartedAt: s.now()}
	s.apply(c, q)
	all := s.reportsOf(fullName(r))
	all.checks = append(all.checks, c)
	reply(w, http.StatusCreated, s.checkDocument(c))
}

func (s *Server) updateCheck(w http.ResponseWriter, r *http.Request, _ identity) {
	var q checkRequest
	if !read(w, r, &q) || !valid(w, q.faults(false)) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.check(w, r); ok {
		s.apply(c, q)
		reply(w, http.StatusOK, s.checkDocument(c))
	}
}

// apply changes what the request names. A conclusion completes a check run; one that has a conclusion and is given
// another status loses it, which GitHub allows.
func (s *Server) apply(c *CheckRun, q checkRequest) {
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	if q.Name != "" {
		c.Name = q.Name
	}
	set(&c.ExternalID, q.ExternalID)
	set(&c.DetailsURL, q.DetailsURL)
	if q.StartedAt != nil {
		c.StartedAt = *q.StartedAt
	}
	switch {
	case q.Conclusion != "":
		c.Status, c.Conclusion, c.CompletedAt = "completed", q.Conclusion, s.now()
		if q.CompletedAt != nil {
			c.CompletedAt = *q.CompletedAt
		}
	case q.Status != "":
		c.Status, c.Conclusion, c.CompletedAt = q.Status, "", time.Time{}
	}
	if q.Output != nil {
		c.Title, c.Summary = q.Output.Title, q.Output.Summary
		c.Annotations = append(c.Annotations, q.Output.Annotations...)
	}
	if q.Actions != nil {
		c.Actions = *q.Actions
	}
	state := c.Status
	if c.Conclusion != "" {
		state += "/" + c.Conclusion
	}
	c.History = append(c.History, state)
}

// listChecks: https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference
func (s *Server) listChecks(w http.ResponseWriter, r *http.Request, _ identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	query, found := r.URL.Query(), []map[string]any{}
	seen := map[string]bool{}
	for _, c := range slices.Backward(s.reportsOf(fullName(r)).checks) {
		switch {
		case c.HeadSHA != r.PathValue("ref"),
			query.Get("check_name") != "" && query.Get("check_name") != c.Name,
			query.Get("status") != "" && query.Get("status") != c.Status,
			query.Get("app_id") != "" && query.Get("app_id") != strconv.FormatInt(s.AppID(), 10),
			query.Get("filter") != "all" && seen[c.Name]: // latest, the default: the newest of each name
			continue
		}
		seen[c.Name] = true
		found = append(found, s.checkDocument(c))
	}
	reply(w, http.StatusOK, map[string]any{"total_count": len(found), "check_runs": page(w, r, found)})
}

func (s *Server) checkDocument(c *CheckRun) map[string]any {
	orNil := func(text string) any {
		if text == "" {
			return nil
		}
		return text
	}
	document := map[string]any{
		"id": c.ID, "name": c.Name, "head_sha": c.HeadSHA, "external_id": c.ExternalID, "details_url": c.DetailsURL,
		"status": c.Status, "conclusion": orNil(c.Conclusion), "started_at": c.StartedAt.UTC().Format(time.RFC3339), "completed_at": nil,
		"output": map[string]any{
			"title": orNil(c.Title), "summary": orNil(c.Summary), "text": nil, "annotations_count": len(c.Annotations),
		},
		"app": map[string]any{"id": s.AppID(), "slug": s.options.Slug}, "pull_requests": []any{},
	}
	if !c.CompletedAt.IsZero() {
		document["completed_at"] = c.CompletedAt.UTC().Format(time.RFC3339)
	}
	return document
}

// Bounds of a check run: https://docs.github.com/en/rest/checks/runs#create-a-check-run
const (
	maxOutput      = 65535
	maxAnnotations = 50 // of one request
	maxActions     = 3
)

var (
	checkStatuses    = []string{"queued", "in_progress", "completed"} // what an App may set
	checkConclusions = []string{"action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"}
	checkLevels      = []string{"notice", "warning", "failure"}
)

func (q checkRequest) faults(create bool) (wrong []refusal) {
	const on = "CheckRun"
	add := func(bad bool, f refusal) {
		if bad {
			wrong = append(wrong, f)
		}
	}
	add(create && q.Name == "", missing(on, "name"))
	add(create && q.HeadSHA == "", missing(on, "head_sha"))
	add(q.Status != "" && !slices.Contains(checkStatuses, q.Status), invalid(on, "status"))
	add(q.Conclusion != "" && !slices.Contains(checkConclusions, q.Conclusion), invalid(on, "conclusion"))
	add(q.Status == "completed" && q.Conclusion == "", missing(on, "conclusion"))
	add(q.DetailsURL != nil && !web(*q.DetailsURL), custom(on, "details_url", "details_url must use http or https scheme"))
	if q.Output != nil {
		add(q.Output.Title == "", missing(on, "output.title"))
		add(q.Output.Summary == "", missing(on, "output.summary"))
		add(len(q.Output.Summary) > maxOutput, custom(on, "summary", "Only 65535 characters are allowed; "+strconv.Itoa(len(q.Output.Summary))+" were supplied."))
		add(len(q.Output.Text) > maxOutput, custom(on, "text", "Only 65535 characters are allowed."))
		add(len(q.Output.Annotations) > maxAnnotations, custom(on, "annotations", "No subschema in \"anyOf\" matched: no more than 50 items"))
		for _, a := range q.Output.Annotations {
			add(a.faulty(), invalid(on, "annotations"))
		}
	}
	if q.Actions != nil {
		add(len(*q.Actions) > maxActions, custom(on, "actions", "no more than 3 items"))
		for _, a := range *q.Actions {
			add(a.Label == "" || len(a.Label) > 20 || a.Description == "" || len(a.Description) > 40 || a.Identifier == "" || len(a.Identifier) > 20,
				invalid(on, "actions"))
		}
	}
	return wrong
}

func (a Annotation) faulty() bool {
	return a.Path == "" || strings.HasPrefix(a.Path, "/") || a.StartLine < 1 || a.EndLine < a.StartLine ||
		a.StartColumn > 0 && a.StartLine != a.EndLine || !slices.Contains(checkLevels, a.Level) ||
		a.Message == "" || len(a.Message) > 64<<10 || len(a.Title) > 255
}
