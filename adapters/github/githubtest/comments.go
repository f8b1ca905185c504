package githubtest

import (
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"
)

// A Comment is a comment on an issue or pull request: https://docs.github.com/en/rest/issues/comments
type Comment struct {
	ID     int64
	Number int // of the issue or pull request
	Body   string
	// Author is a login; the App's own comments are by SLUG[bot]. App is the App by which it was written, 0 for none.
	Author string
	App    int64
	Edits  int
}

// maxBody is how many characters a comment may have.
const maxBody = 65536

// Comments are the comments on an issue or pull request, the oldest first.
func (s *Server) Comments(repository string, number int) []Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Comment
	for _, c := range s.reportsOf(repository).comments {
		if c.Number == number {
			all = append(all, *c)
		}
	}
	return all
}

// AddComment writes a comment that is not the App's, and returns its id.
func (s *Server) AddComment(repository string, c Comment) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ID = s.nextID()
	all := s.reportsOf(repository)
	all.comments = append(all.comments, &c)
	return c.ID
}

// DeleteComment deletes a comment, as anybody who may write can.
func (s *Server) DeleteComment(repository string, id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.reportsOf(repository)
	all.comments = slices.DeleteFunc(all.comments, func(c *Comment) bool { return c.ID == id })
}

func (s *Server) routeComments() {
	const at = "/repos/{owner}/{repo}/issues"
	s.handle("GET "+at+"/{number}/comments", "issues=read; pull_requests=read", s.listComments)
	s.handle("POST "+at+"/{number}/comments", "issues=write; pull_requests=write", func(w http.ResponseWriter, r *http.Request, _ identity) {
		body, ok := readBody(w, r)
		if !ok {
			return
		}
		number, _ := strconv.Atoi(r.PathValue("number"))
		s.mu.Lock()
		defer s.mu.Unlock()
		c := &Comment{ID: s.nextID(), Number: number, Body: body, Author: s.options.Slug + "[bot]", App: s.AppID()}
		all := s.reportsOf(fullName(r))
		all.comments = append(all.comments, c)
		reply(w, http.StatusCreated, s.commentDocument(c))
	})
	s.handle("PATCH "+at+"/comments/{id}", "issues=write; pull_requests=write", func(w http.ResponseWriter, r *http.Request, _ identity) {
		body, ok := readBody(w, r)
		if !ok {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if c := s.comment(fullName(r), r.PathValue("id")); c != nil {
			c.Body = body
			c.Edits++
			reply(w, http.StatusOK, s.commentDocument(c))
			return
		}
		fail(w, http.StatusNotFound, "Not Found")
	})
}

// comment finds a comment; nil: there is none. The caller holds mu.
func (s *Server) comment(repository, id string) *Comment {
	n, _ := strconv.ParseInt(id, 10, 64)
	for _, c := range s.reportsOf(repository).comments {
		if c.ID == n {
			return c
		}
	}
	return nil
}

func readBody(w http.ResponseWriter, r *http.Request) (string, bool) {
	var q struct {
		Body string `json:"body"`
	}
	if !read(w, r, &q) {
		return "", false
	}
	var wrong []refusal
	switch {
	case q.Body == "":
		wrong = []refusal{missing("IssueComment", "body")}
	case utf8.RuneCountInString(q.Body) > maxBody:
		wrong = []refusal{custom("IssueComment", "body", "body is too long (maximum is 65536 characters)")}
	}
	return q.Body, valid(w, wrong)
}

func (s *Server) listComments(w http.ResponseWriter, r *http.Request, _ identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []map[string]any{}
	for _, c := range s.reportsOf(fullName(r)).comments {
		if strconv.Itoa(c.Number) == r.PathValue("number") {
			all = append(all, s.commentDocument(c))
		}
	}
	reply(w, http.StatusOK, page(w, r, all))
}

func (s *Server) commentDocument(c *Comment) map[string]any {
	v := map[string]any{
		"id": c.ID, "body": c.Body, "user": map[string]any{"login": c.Author, "type": "User"}, "performed_via_github_app": nil,
	}
	if c.App != 0 {
		v["user"] = map[string]any{"login": c.Author, "type": "Bot"}
		v["performed_via_github_app"] = map[string]any{"id": c.App}
	}
	return v
}
