package workflowtemplates_test

import (
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// language is a small language in the manner of the real sources.
func language() workflowtemplates.Language {
	pullRequest := object("number", "title", "body")
	githubEvent := map[string]map[string]*bridge.Shape{
		"github.push":         {"commits": {Items: object("message")}, "number": scalar},
		"github.pull_request": {"action": scalar, "pull_request": pullRequest, "commits": nil},
		"github.release":      {"action": scalar},
	}
	return workflowtemplates.Language{
		Notifiers: []string{"slack", "github"},
		Dialects: []bridge.Dialect{
			{
				Source: "github", Events: []string{"github.issue_comment", "github.pull_request", "github.push", "github.release"},
				Variables: func(event string) map[string]*bridge.Shape {
					github := object("sha", "ref", "ref_name", "head_ref", "actor")
					github.Fields["event"] = &bridge.Shape{Fields: githubEvent[event]}
					return map[string]*bridge.Shape{"github": github}
				},
				Untrusted: strings.Fields("github.head_ref github.event.pull_request.title github.event.pull_request.body github.event.commits[].message"),
			},
			{
				Source: "gcs", Events: []string{"gcs.finalized", "gcs.deleted"},
				Variables: func(string) map[string]*bridge.Shape {
					return map[string]*bridge.Shape{"gcs": object("bucket", "name", "generation", "size"), "data": object("name")}
				},
				Untrusted: []string{"gcs.name"},
			},
			{Source: "slack", Events: []string{"slack.command", "slack.action", "slack.shortcut", "slack.app_mention", "slack.message"}, Open: true},
			{
				Source: "workflow", Events: []string{"workflow.succeeded", "workflow.failed", "workflow.completed"},
				Variables: func(string) map[string]*bridge.Shape {
					return map[string]*bridge.Shape{"workflow": {Fields: map[string]*bridge.Shape{"name": scalar, "outputs": nil}}, "chain": object("depth")}
				},
			},
		},
	}
}

var scalar = &bridge.Shape{Scalar: true}

func object(names ...string) *bridge.Shape {
	s := &bridge.Shape{Fields: map[string]*bridge.Shape{}}
	for _, n := range names {
		s.Fields[n] = scalar
	}
	return s
}
