package desk

import (
	"context"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Names finds what orders name without its namespace: it is the orders.Names of a Finder.
type Names struct{ Finder *Finder }

// Template implements orders.Names.
func (n Names) Template(ctx context.Context, f bridge.Facts, name string) (bridge.Template, string, error) {
	t, fault, err := n.Finder.Template(ctx, f, name)
	return t.Ref, fault, err
}

// Run implements orders.Names.
func (n Names) Run(ctx context.Context, f bridge.Facts, name string) (bridge.RunID, string, error) {
	run, fault, err := n.Finder.Run(ctx, f, bridge.RunID{Name: name})
	return run.ID(), fault, err
}
