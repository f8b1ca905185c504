package desk

import (
	"context"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// A Template is what people are told of one, and what running it needs.
type Template struct {
	Ref bridge.Template
	// Description is the author's, in Markdown; empty: none.
	Description string
	Declared    []bridge.Declared
	Allow       bridge.Allowances
}

// Templates are those with annotations of the bridge.
type Templates interface {
	// Templates returns all, by namespace and name.
	Templates() []Template
}

// Runs finds Workflows.
type Runs interface {
	// Find returns one; when there is none, the error is Permanent.
	Find(ctx context.Context, namespace, name string) (bridge.Run, error)
	// List returns the newest runs of a template, or, where it is empty, of the namespace, the newest first.
	List(ctx context.Context, namespace, template string, limit int) ([]bridge.Run, error)
}

// Logs reads what steps have written last.
type Logs interface {
	// Steps returns the last lines of the run's steps, the newest step first; step limits it to those whose path holds it.
	Steps(ctx context.Context, run bridge.Run, step string) ([]bridge.StepLog, error)
}

// Access says which namespaces an event may start something in; match.Access is one.
type Access interface {
	// Allows goes by the template's namespace alone.
	Allows(t bridge.Template, f bridge.Facts) (bool, string)
}

// Rules are the rules of all templates.
type Rules interface {
	// Wants says whether an event with these facts may start some rule.
	Wants(f bridge.Facts) bool
}

// Clients are the ways to Slack's API; *slack.Workspaces are.
type Clients interface {
	Client(team string) (*slack.Client, error)
}
