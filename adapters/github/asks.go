package github

import (
	"github.com/argo-bridge/argo-bridge/bridge"
)

// ask notes what the payload does not say and GitHub can be asked for. Without an installation there is nobody to ask.
func (p payload) ask(f bridge.Facts) {
	if p.Get("installation.id").Int() == 0 {
		return
	}
	if _, missing := f.Missing["paths"]; missing {
		f.Asks["paths"], f.Asks["github.files"] = QuestionFiles, QuestionFiles
	}
	if p.name == "pull_request" && f.Commit != "" {
		f.Asks[bridge.AskSkip] = QuestionCommit
	}
	if !p.underPullRequest() {
		return
	}
	for _, key := range []string{
		"branches", "draft", bridge.AskVouch, "github.sha", "github.ref", "github.ref_name", "github.base_ref", "github.head_ref",
		"github.pull_request",
	} {
		f.Asks[key] = QuestionPullRequest
	}
}

// underPullRequest says that the event is a comment on a pull request whose payload has no more of it than of an issue.
func (p payload) underPullRequest() bool {
	return p.name == "issue_comment" && p.Get("issue.pull_request").IsObject()
}

// foreign says whether the commit of the event stands in another repository than the event: a fork, to which whoever
// owns it may push.
func (p payload) foreign() bool {
	if p.Get("pull_request.merged").Bool() { // by somebody who may write: it is the repository's own by now
		return false
	}
	switch {
	case p.Get("pull_request.head").IsObject(): // whose repository may be gone
		return p.text("pull_request.head.repo.full_name") != p.text("pull_request.base.repo.full_name")
	case p.Get("workflow_run").IsObject():
		return p.text("workflow_run.head_repository.full_name") != p.text("repository.full_name")
	}
	return false
}

// vouch are those whose code the event brings in from outside: who opened the pull request, and who pushed or did
// something to it just now.
func (p payload) vouch() []string {
	if !p.foreign() {
		return nil
	}
	author, sender := p.text("pull_request.user.login", "workflow_run.actor.login"), p.text("sender.login")
	if author == "" || author == sender {
		return []string{sender}
	}
	return []string{author, sender}
}

// spoken are the events by which people say something, and so may give a command.
var spoken = map[string]bool{
	"issue_comment": true, "pull_request_review": true, "pull_request_review_comment": true, "commit_comment": true,
	"discussion_comment": true, "pull_request_review_thread": true,
}

// commander is who says something that a rule may take for a command.
func (p payload) commander() string {
	if !spoken[p.name] {
		return ""
	}
	return p.text("sender.login")
}

// own says that the bridge's App has caused the event: what it writes must not start anything, or it would go on for
// ever. People's clicks on its checks are their own.
func (p payload) own(app Identity) bool {
	if app.Slug != "" && p.text("sender.login") == app.Slug+"[bot]" {
		return true
	}
	if app.ID == 0 {
		return false
	}
	switch p.name {
	case "check_run":
		return p.Get("check_run.app.id").Int() == app.ID && p.text("action") != "rerequested" && p.text("action") != "requested_action"
	case "check_suite":
		return p.Get("check_suite.app.id").Int() == app.ID && p.text("action") != "rerequested"
	}
	return p.Get("comment.performed_via_github_app.id").Int() == app.ID || p.Get("deployment_status.performed_via_github_app.id").Int() == app.ID
}

// skip says whether the author of a push wants nothing run; of a pull request GitHub must be asked.
func (p payload) skip() string {
	if p.name != "push" {
		return ""
	}
	return SkipsCI(p.text("head_commit.message"))
}

// address is where GitHub answers the event.
func (p payload) address() Address {
	a := Address{
		Installation: p.Get("installation.id").Int(), Repository: p.text("repository.full_name"), Commit: p.position().sha,
		Number: int(p.Get("pull_request.number").Int()), Deployment: p.Get("deployment.id").Int(),
	}
	if a.Number == 0 {
		a.Number = int(p.Get("issue.number").Int())
	}
	switch p.name {
	case "issue_comment":
		a.Comment, a.CommentKind = p.Get("comment.id").Int(), "issue"
	case "pull_request_review_comment":
		a.Comment, a.CommentKind = p.Get("comment.id").Int(), "review"
	case "commit_comment":
		a.Comment, a.CommentKind = p.Get("comment.id").Int(), "commit"
	}
	return a
}

// reply is the address as text; empty where GitHub cannot be answered.
func (a Address) reply() string {
	if a.Installation == 0 || a.Repository == "" {
		return ""
	}
	return a.String()
}

// thread is the pull request or issue that people talk in.
func (p payload) thread() string {
	number := p.text("pull_request.number", "issue.number")
	repository := p.text("repository.full_name")
	if number == "" || repository == "" {
		return ""
	}
	return repository + "#" + number
}
