package githubtest

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
)

// What GitHub tells of a diff at most, by compare and by the list of a pull request's files:
// https://docs.github.com/en/rest/commits/commits#compare-two-commits
// https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files
const (
	maxCompareFiles = 300
	maxPullFiles    = 3000
)

// A repository is what is in one repository.
type repository struct {
	pulls       map[int]Pull
	commits     map[string]Commit
	comparisons map[string]comparison // base...head
	permissions map[string][2]string  // by login in lower case: permission and role_name
}

// A Pull is a pull request.
type Pull struct {
	Number         int
	Title, Author  string
	State          string // open if empty
	Draft, Merged  bool
	Head, HeadRef  string // Head and Base are commits
	HeadRepository string // the same repository if empty; "-" for a fork that is gone
	Base, BaseRef  string // BaseRef: main if empty
	Labels         []string
	Files          []File
}

// A Commit is a commit.
type Commit struct{ SHA, Message, Author string }

// A File is a file that a comparison or pull request changes.
type File struct {
	Name string
	// Status is modified if empty; renamed with the name before.
	Status, Previous string
}

type comparison struct {
	files   []File
	commits []Commit
}

// in returns a repository to change, made if need be. The caller holds mu.
func (s *Server) in(full string) *repository {
	full = strings.ToLower(full)
	if s.repositories[full] == nil {
		s.repositories[full] = &repository{map[int]Pull{}, map[string]Commit{}, map[string]comparison{}, map[string][2]string{}}
	}
	return s.repositories[full]
}

// SetPull puts a pull request into a repository, in the place of one with the same number.
func (s *Server) SetPull(repository string, p Pull) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.State, p.BaseRef = cmp.Or(p.State, "open"), cmp.Or(p.BaseRef, "main")
	p.HeadRepository = cmp.Or(p.HeadRepository, repository)
	s.in(repository).pulls[p.Number] = p
}

// SetCommit puts a commit into a repository.
func (s *Server) SetCommit(repository string, c Commit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in(repository).commits[c.SHA] = c
}

// SetComparison says what lies between two commits, or names of branches. Where there are commits the other way round as
// well, the two have diverged.
func (s *Server) SetComparison(repository, base, head string, files []File, commits ...Commit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in(repository).comparisons[base+"..."+head] = comparison{files, commits}
}

func (s *Server) routeRepositories() {
	const at = "GET /repos/{owner}/{repo}"
	s.handle(at, "metadata=read", func(w http.ResponseWriter, r *http.Request, _ identity) {
		reply(w, http.StatusOK, repositoryDocument(fullName(r)))
	})
	s.handle(at+"/pulls/{number}", "pull_requests=read", s.getPull)
	s.handle(at+"/pulls/{number}/files", "pull_requests=read", s.listPullFiles)
	s.handle(at+"/compare/{basehead...}", "contents=read", s.compare)
	s.handle(at+"/commits/{sha}", "contents=read", s.getCommit)
	s.handle(at+"/git/commits/{sha}", "contents=read", s.getGitCommit)
	s.routePeople()
}

// pull finds the pull request of the path, and answers when there is none.
func (s *Server) pull(w http.ResponseWriter, r *http.Request) (Pull, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number, _ := strconv.Atoi(r.PathValue("number"))
	p, ok := s.in(fullName(r)).pulls[number]
	if !ok {
		fail(w, http.StatusNotFound, "Not Found")
	}
	return p, ok
}

func (s *Server) getPull(w http.ResponseWriter, r *http.Request, _ identity) {
	p, ok := s.pull(w, r)
	if !ok {
		return
	}
	side := func(ref, sha, repository string) map[string]any {
		owner, _, _ := strings.Cut(repository, "/")
		v := map[string]any{"ref": ref, "sha": sha, "label": owner + ":" + ref, "user": map[string]any{"login": owner}, "repo": nil}
		if repository != "-" {
			v["repo"] = repositoryDocument(repository)
		}
		return v
	}
	labels := []map[string]any{}
	for _, l := range p.Labels {
		labels = append(labels, map[string]any{"name": l})
	}
	reply(w, http.StatusOK, map[string]any{
		"id": 100000 + p.Number, "number": p.Number, "state": p.State, "title": p.Title, "draft": p.Draft, "merged": p.Merged, "labels": labels,
		"user": map[string]any{"login": p.Author, "type": "User"},
		"head": side(p.HeadRef, p.Head, p.HeadRepository), "base": side(p.BaseRef, p.Base, fullName(r)),
		"html_url": "https://github.com/" + fullName(r) + "/pull/" + strconv.Itoa(p.Number), "changed_files": len(p.Files),
	})
}

func (s *Server) listPullFiles(w http.ResponseWriter, r *http.Request, _ identity) {
	if p, ok := s.pull(w, r); ok {
		reply(w, http.StatusOK, page(w, r, fileDocuments(p.Files, maxPullFiles)))
	}
}

// compare shows the files on the first page only; pages are of commits. What is known of the other direction alone is
// behind: it has no files of its own.
func (s *Server) compare(w http.ResponseWriter, r *http.Request, _ identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	base, head, _ := strings.Cut(r.PathValue("basehead"), "...")
	known := s.in(fullName(r)).comparisons
	c, ahead := known[base+"..."+head]
	back, behind := known[head+"..."+base]
	if !ahead && !behind {
		fail(w, http.StatusNotFound, "Not Found")
		return
	}
	commits := []map[string]any{}
	for _, each := range c.commits {
		commits = append(commits, each.document())
	}
	status := "identical"
	switch {
	case len(c.commits) > 0 && len(back.commits) > 0:
		status = "diverged"
	case len(back.commits) > 0:
		status = "behind"
	case len(c.commits) > 0:
		status = "ahead"
	}
	v := map[string]any{
		"status": status, "ahead_by": len(c.commits), "behind_by": len(back.commits), "total_commits": len(commits), "commits": page(w, r, commits),
	}
	if positive(r.URL.Query().Get("page"), 1) == 1 {
		v["files"] = fileDocuments(c.files, maxCompareFiles)
	}
	reply(w, http.StatusOK, v)
}

func (s *Server) getCommit(w http.ResponseWriter, r *http.Request, _ identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.in(fullName(r)).commits[r.PathValue("sha")]
	if !ok {
		fail(w, http.StatusUnprocessableEntity, "No commit found for SHA: "+r.PathValue("sha"))
		return
	}
	reply(w, http.StatusOK, c.document())
}

// getGitCommit shows a commit as git has it.
func (s *Server) getGitCommit(w http.ResponseWriter, r *http.Request, _ identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.in(fullName(r)).commits[r.PathValue("sha")]
	if !ok {
		fail(w, http.StatusNotFound, "Not Found")
		return
	}
	reply(w, http.StatusOK, map[string]any{"sha": c.SHA, "message": c.Message})
}

func (c Commit) document() map[string]any {
	person := map[string]any{"name": c.Author, "email": c.Author + "@example.com", "date": "2026-01-02T03:04:05Z"}
	return map[string]any{
		"sha": c.SHA, "author": map[string]any{"login": c.Author},
		"commit": map[string]any{"message": c.Message, "author": person, "committer": person},
	}
}

func fileDocuments(files []File, most int) []map[string]any {
	list := []map[string]any{}
	for _, f := range files[:min(len(files), most)] {
		v := map[string]any{"filename": f.Name, "status": cmp.Or(f.Status, "modified"), "additions": 1, "deletions": 0, "changes": 1}
		if f.Previous != "" {
			v["status"], v["previous_filename"] = "renamed", f.Previous
		}
		list = append(list, v)
	}
	return list
}
