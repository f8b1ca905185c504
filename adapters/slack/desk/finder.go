package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"

	own "github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/spelling"
)

// maxNamespaces is in how many namespaces a Workflow without one is looked for.
const maxNamespaces = 20

// A Finder finds what people name, among what their channel and they themselves may see. Safe for concurrent use.
type Finder struct {
	Templates Templates
	Runs      Runs
	Access    Access
	Warden    bridge.Warden
	// ClusterNamespace is where ClusterWorkflowTemplates run; empty: they are not served.
	ClusterNamespace string
}

// Template finds a template by namespace/name or name. fault says what is wrong with the name; an error is to be tried again.
func (x *Finder) Template(ctx context.Context, f bridge.Facts, name string) (t Template, fault string, err error) {
	want, ok := own.ParseName(name)
	if !ok {
		return t, fmt.Sprintf("%q is no name of a template", name), nil
	}
	open := x.open(f)
	var found []Template
	for _, t := range open {
		if t.Ref != want && (want.Namespace != "" || t.Ref.Name != want.Name) {
			continue
		}
		sees, err := x.sees(ctx, f, t)
		switch {
		case err != nil:
			return t, "", err
		case sees && t.Ref == want:
			return t, "", nil
		case sees:
			found = append(found, t)
		}
	}
	switch len(found) {
	case 0:
		near, err := x.near(ctx, f, open, want)
		return t, "there is no template " + want.String() + " here" + near, err
	case 1:
		return found[0], "", nil
	}
	return t, "several templates are called " + want.Name + ": write " + oneOf(found), nil
}

func oneOf(found []Template) string {
	var names []string
	for _, t := range found[:min(len(found), 10)] {
		names = append(names, t.Ref.String())
	}
	return strings.Join(names, " or ")
}

// near suggests a template that the person may see.
func (x *Finder) near(ctx context.Context, f bridge.Facts, open []Template, want bridge.Template) (string, error) {
	var names []string
	for _, t := range open {
		if names = append(names, t.Ref.Name); want.Namespace != "" {
			names[len(names)-1] = t.Ref.String()
		}
	}
	near := spelling.Nearest(want.String(), names)
	i := slices.Index(names, near)
	if i < 0 {
		return "", nil
	}
	if sees, err := x.sees(ctx, f, open[i]); err != nil || !sees {
		return "", err
	}
	return "; is " + near + " meant?", nil
}

// open are the templates of the namespaces that the channel has access to.
func (x *Finder) open(f bridge.Facts) (open []Template) {
	known := map[string]bool{}
	for _, t := range x.Templates.Templates() {
		allowed, decided := known[t.Ref.Namespace]
		if !decided {
			allowed, _ = x.Access.Allows(t.Ref, f)
			known[t.Ref.Namespace] = allowed
		}
		if allowed {
			open = append(open, t)
		}
	}
	return open
}

func (x *Finder) sees(ctx context.Context, f bridge.Facts, t Template) (bool, error) {
	ok, _, err := x.Warden.May(ctx, f, bridge.RightView, t.Ref, t.Allow)
	return ok, err
}
