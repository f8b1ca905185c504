package setup

import (
	"maps"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Levels of an App's permissions.
const (
	read  = "read"
	write = "write"
)

// Needs are what an App must have for some rules. The zero value needs nothing.
type Needs struct {
	permissions map[string]need
	events      map[string]need
	// Repositories are owner/name of those that rules name, with who names them.
	Repositories map[string]string
	// Unknown are events of which it is not known which permission they want.
	Unknown []string
}

// A need is a level, of an event "", and who wants it.
type need struct{ level, who string }

// Base are the needs of every bridge: pushes, pull requests, commands and checks.
func Base() Needs {
	var n Needs
	for _, event := range []string{"push", "pull_request"} {
		n.event(event, "every bridge")
	}
	n.destination("check", "every bridge")
	return n
}

// Add adds what a rule needs that starts by its triggers and is told of by routes.
func (n *Needs) Add(r *bridge.Rule, routes []bridge.Route) {
	who := r.Template.String() + ", rule " + r.Name
	of := false
	for _, t := range r.Triggers {
		if event, ok := strings.CutPrefix(t.Event, "github."); ok {
			n.event(event, who)
			of = true
		}
	}
	if !of {
		return
	}
	for _, route := range routes {
		if route.To.Scheme == "github" {
			n.destination(route.To.Target, who)
		}
	}
	if r.Trust != nil {
		n.Trust(r.Trust.Teams, who)
	}
}

// Name adds a repository, owner/name, that somebody names.
func (n *Needs) Name(repository, who string) {
	if n.Repositories == nil {
		n.Repositories = map[string]string{}
	}
	if _, ok := n.Repositories[repository]; !ok {
		n.Repositories[repository] = who
	}
}

// Trust adds what is needed to know who is of the teams.
func (n *Needs) Trust(teams []string, who string) {
	if len(teams) > 0 {
		n.permission("members", read, who)
	}
}

func (n *Needs) event(event, who string) {
	n.permission("metadata", read, who)
	switch permission := permissionOf[event]; {
	case !subscribable(event):
		return
	case permission == "":
		if !slices.Contains(n.Unknown, event) {
			n.Unknown = append(n.Unknown, event)
		}
	default:
		n.permission(permission, read, who)
	}
	n.subscribe(event, who)
	switch event {
	case "pull_request", "pull_request_review", "pull_request_review_comment", "pull_request_review_thread", "merge_group", "issue_comment", "commit_comment":
		n.permission("contents", read, who)
		n.commands(who)
	}
}

// commands are the comments of people, and the bridge's answers: /ok-to-test and the like.
func (n *Needs) commands(who string) {
	n.permission("issues", write, who)
	n.permission("pull_requests", write, who)
	n.subscribe("issue_comment", who)
}

func (n *Needs) destination(target, who string) {
	switch who += ", github:" + target; target {
	case "check":
		n.permission("checks", write, who)
		n.subscribe("check_run", who)
		n.subscribe("check_suite", who)
	case "status":
		n.permission("statuses", write, who)
	case "comment":
		n.permission("pull_requests", write, who)
		n.permission("issues", write, who)
	case "deployment":
		n.permission("deployments", write, who)
	}
}

func (n *Needs) subscribe(event, who string) {
	if n.events == nil {
		n.events = map[string]need{}
	}
	if _, ok := n.events[event]; !ok {
		n.events[event] = need{who: who}
	}
}

func (n *Needs) permission(name, level, who string) {
	if n.permissions == nil {
		n.permissions = map[string]need{}
	}
	if rank(n.permissions[name].level) < rank(level) {
		n.permissions[name] = need{level, who}
	}
}

// rank orders the levels of a permission.
func rank(level string) int {
	return slices.Index([]string{read, write, "admin"}, level) + 1
}

// Permissions are the levels by permission, in the words of GitHub's manifest.
func (n Needs) Permissions() map[string]string {
	all := map[string]string{}
	for name, need := range n.permissions {
		all[name] = need.level
	}
	return all
}

// Events are those that the App must be subscribed to, sorted.
func (n Needs) Events() []string {
	return append([]string{}, slices.Sorted(maps.Keys(n.events))...)
}
