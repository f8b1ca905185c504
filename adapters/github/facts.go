package github

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/tidwall/gjson"
)

// maxCommits is how many commits a push payload lists at most:
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
const maxCommits = 2048

// FactFinder derives what filters, expressions and people see of GitHub events.
//
// The filter values are
//
//   - repositories: owner/name of the repository that the event is about,
//   - types: the payload's action; of a push, which has none, whether it created, updated or deleted
//     the branch or tag; absent for other events that have none,
//   - branches: short names. The branch of a push, the base of a pull request or merge group, what
//     create and delete are about, the head branch of a workflow run, check or deployment; absent
//     for a push of a tag,
//   - tags: the tag of a push, of create and delete, and of a release,
//   - paths: every path that a commit of a push added, removed or modified. Absent, with the reason
//     in Missing, where the payload does not hold them all,
//   - labels: those that the issue, pull request or discussion has; for the actions labeled and
//     unlabeled just the one that was added or removed,
//   - comment: the body of the comment or review,
//   - draft: whether the pull request is one, true or false,
//   - actors: the login of the sender.
//
// What GitHub must be asked for stands in Asks, with the questions that [bridge.Inquirer] answers: QuestionFiles,
// QuestionPullRequest and QuestionCommit.
type FactFinder struct {
	// App is the bridge's own GitHub App; zero for a webhook without one.
	App Identity
}

// An Identity tells a GitHub App from others.
type Identity struct {
	ID   int64
	Slug string // its name in addresses; its bot is slug[bot]
}

// Questions of [bridge.Facts.Asks].
const (
	QuestionFiles       = "files"        // the changed files of a pull request or push
	QuestionPullRequest = "pull-request" // the pull request that a comment stands under
	QuestionCommit      = "commit"       // the message of the head commit
)

var _ bridge.FactFinder = FactFinder{}

// Facts derives the facts of an event whose type begins with com.github.
func (finder FactFinder) Facts(e bridge.Event) (bridge.Facts, bool, error) {
	name, ok := eventName(e.Type)
	if !ok {
		return bridge.Facts{}, false, nil
	}
	if !braced(e.Data) {
		return bridge.Facts{}, true, fmt.Errorf("the data of %s is not a JSON object", e.Type)
	}
	p := payload{document: open(e.Data), name: name, raw: e.Data}
	f := bridge.Facts{
		Name:    source + "." + name,
		Source:  source,
		Values:  map[string][]string{},
		Missing: map[string]string{},
		Asks:    map[string]string{},
		URL:     p.link(),
		Actor:   p.text("sender.login"),
		Title:   p.title(),
		Version: p.version(),
		ReplyTo: p.address().reply(),
		Own:     p.own(finder.App),
		Thread:  p.thread(),
		Commit:  p.position().sha,
		Skip:    p.skip(),
	}
	p.fill(f)
	p.ask(f)
	f.Vouch, f.Commander = p.vouch(), p.commander()
	f.Commands = p.commands()
	f.Order = p.order(finder.App)
	paths := f.Values["paths"]
	f.Variables = sync.OnceValues(func() (map[string]any, error) { return p.variables(paths) })
	return f, true, nil
}

func eventName(eventType string) (string, bool) {
	rest, ok := strings.CutPrefix(eventType, typePrefix)
	name, _, _ := strings.Cut(rest, ".")
	return name, ok && name != ""
}

// action is the payload's, or what a push did to its branch or tag.
func (p payload) action() string {
	switch {
	case p.name != "push":
		return p.text("action")
	case p.Get("deleted").Bool(), nothing(p.text("after")):
		return "deleted"
	case p.Get("created").Bool(), nothing(p.text("before")):
		return "created"
	}
	return "updated"
}

// version orders the pushes of a branch or tag by when GitHub got them, in seconds; the dates of the commits are
// whatever their authors' clocks said, and go back when a branch is reset. Of the same second the later delivery is the
// newer. Other events are ordered by their own time.
func (p payload) version() string {
	if p.name != "push" {
		return ""
	}
	return fmt.Sprintf("%020d", max(0, p.Get("repository.pushed_at").Int()))
}

// nothing says whether a commit is the one of zeros, which stands for none.
func nothing(sha string) bool { return sha != "" && strings.Trim(sha, "0") == "" }

// A payload reads the body of one event.
type payload struct {
	document
	name string
	raw  []byte
}

func (p payload) fill(f bridge.Facts) {
	add := func(key string, values ...string) {
		values = slices.DeleteFunc(values, func(v string) bool { return v == "" })
		if len(values) > 0 {
			f.Values[key] = values
		}
	}
	add("repositories", p.text("repository.full_name"))
	add("types", p.action())
	add("actors", p.text("sender.login"))
	add("branches", p.branches()...)
	add("tags", p.tag())
	if v := p.commented(); v.Type == gjson.String {
		f.Values["comment"] = []string{strings.Clone(v.String())}
		if p.edited() {
			delete(f.Values, "comment")
			f.Missing["comment"] = "only a new comment gives a command, and this one was " + p.text("action")
		}
	}
	if draft := p.Get("pull_request.draft"); draft.IsBool() {
		f.Values["draft"] = []string{strconv.FormatBool(draft.Bool())}
	}
	if labels, ok := p.labels(); ok {
		f.Values["labels"] = labels
	}
	switch paths, missing := p.paths(); {
	case missing != "":
		f.Missing["paths"] = missing
	case paths != nil:
		f.Values["paths"] = paths
	}
}

func (p payload) branches() []string {
	switch p.name {
	case "push", "code_scanning_alert", "workflow_dispatch":
		return []string{branch(p.text("ref"))}
	case "create", "delete":
		if p.text("ref_type") == "branch" {
			return []string{p.text("ref")}
		}
		return nil
	case "status":
		return texts(p.Get("branches.#.name"))
	case "merge_group":
		return []string{branch(p.text("merge_group.base_ref"))}
	case "repository_dispatch":
		return []string{p.text("branch")}
	}
	return []string{p.text("pull_request.base.ref", "workflow_run.head_branch", "workflow_job.head_branch",
		"check_run.check_suite.head_branch", "check_suite.head_branch")}
}

func (p payload) tag() string {
	switch p.name {
	case "push":
		tag, _ := strings.CutPrefix(p.text("ref"), "refs/tags/")
		if tag != p.text("ref") {
			return tag
		}
	case "create", "delete":
		if p.text("ref_type") == "tag" {
			return p.text("ref")
		}
	case "release":
		return p.text("release.tag_name")
	}
	return ""
}

func (p payload) paths() (paths []string, missing string) {
	switch {
	case p.name == "push":
	case p.Get("pull_request").IsObject(), p.name == "merge_group":
		return nil, "the changed files of a pull request are not in GitHub's payload"
	default:
		return nil, ""
	}
	commits := p.Get("commits")
	list := commits.Array()
	switch {
	case !commits.IsArray():
		return nil, "the payload has no list of commits"
	case len(list) >= maxCommits:
		return nil, fmt.Sprintf("the payload lists only %d of the push's commits", maxCommits)
	case len(list) == 0 && p.Get("forced").Bool() && !p.Get("deleted").Bool():
		return nil, "a forced push back to an older commit lists no files"
	}
	paths = []string{}
	for _, c := range list {
		for _, key := range []string{"added", "removed", "modified"} {
			c.Get(key).ForEach(func(_, v gjson.Result) bool {
				paths = append(paths, v.String())
				return true
			})
		}
	}
	// A large push names hundreds of thousands: they stay parts of the payload, which the facts do not
	// outlive, and are made distinct where they are.
	slices.Sort(paths)
	return slices.Compact(paths), ""
}

func (p payload) labels() (labels []string, ok bool) {
	if action := p.text("action"); p.name == "label" || action == "labeled" || action == "unlabeled" {
		if l := p.text("label.name"); l != "" {
			return []string{l}, true
		}
	}
	for _, of := range []string{"pull_request", "issue", "discussion"} {
		if v := p.Get(of + ".labels"); v.IsArray() {
			return texts(v.Get("#.name")), true
		}
	}
	return nil, false
}

func (p payload) commented() gjson.Result {
	if p.name == "pull_request_review" {
		return p.Get("review.body")
	}
	return p.Get("comment.body")
}

func (p payload) link() string {
	switch p.name {
	case "push":
		if p.Get("commits.#").Int() != 1 {
			return p.text("compare", "head_commit.url", "repository.html_url")
		}
		return p.text("head_commit.url", "compare", "repository.html_url")
	case "create", "delete", "deployment":
		return p.text("repository.html_url")
	case "deployment_status":
		return p.text("deployment_status.log_url", "deployment_status.target_url", "repository.html_url")
	case "status":
		return p.text("target_url", "commit.html_url", "repository.html_url")
	case "gollum":
		return p.text("pages.0.html_url", "repository.html_url")
	}
	return p.text("comment.html_url", "review.html_url", p.name+".html_url", "pull_request.html_url", "issue.html_url",
		"alert.html_url", "release.html_url", "repository.html_url", "organization.html_url", "installation.html_url", "sender.html_url")
}

// title says in one line what happened. It is made of the event's own texts, so it is no more to be
// trusted than they are.
func (p payload) title() string {
	repository := p.text("repository.full_name", "organization.login", "installation.account.login")
	in := ""
	if repository != "" {
		in = " in " + repository
	}
	what := strings.ReplaceAll(p.name, "_", " ")
	action := strings.ReplaceAll(p.text("action"), "_", " ")
	number, about := p.text("pull_request.number", "issue.number", "discussion.number"), p.text("pull_request.title", "issue.title", "discussion.title")
	var head string
	switch {
	case p.name == "push":
		head, about = strings.TrimSpace("push to "+repository+" "+shortRef(p.text("ref"))), p.text("head_commit.message")
	case p.name == "create", p.name == "delete":
		head, about = fmt.Sprintf("%s %s %sd%s", p.text("ref_type"), p.text("ref"), p.name, in), ""
	case p.name == "release":
		head, about = strings.TrimSpace(fmt.Sprintf("release %s %s", p.text("release.tag_name"), action))+in, p.text("release.name")
	case p.name == "workflow_run", p.name == "workflow_job", p.name == "check_run", p.name == "check_suite":
		head, about = join(what, cmp.Or(p.text(p.name+".conclusion"), action))+in, p.text(p.name+".name")
	case p.name == "deployment_status":
		head, about = join("deployment to", p.text("deployment.environment"), p.text("deployment_status.state"))+in, p.text("deployment_status.description")
	case p.name == "deployment":
		head, about = join("deployment to", p.text("deployment.environment"), "requested")+in, p.text("deployment.description")
	case number != "":
		if p.name == "issues" {
			what = "issue"
		}
		head = join(what, action, "on", repository+"#"+number)
		if p.name == "issues" || p.name == "pull_request" || p.name == "discussion" {
			head = join(what, "#"+number, action) + in
		}
	default:
		head, about = join(what, action)+in, p.text(p.name+".title", p.name+".name")
	}
	if about = firstLine(about); about == "" {
		return head
	}
	return cut(head+": "+about, 200)
}

func join(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}

func texts(list gjson.Result) []string {
	out := []string{}
	for _, v := range list.Array() {
		out = append(out, strings.Clone(v.String()))
	}
	return out
}

// branch is the short name of refs/heads/NAME, and "" of any other ref.
func branch(ref string) string {
	b, ok := strings.CutPrefix(ref, "refs/heads/")
	if !ok {
		return ""
	}
	return b
}

func shortRef(ref string) string {
	for _, prefix := range []string{"refs/heads/", "refs/tags/", "refs/pull/", "refs/"} {
		if short, ok := strings.CutPrefix(ref, prefix); ok {
			return short
		}
	}
	return ref
}
