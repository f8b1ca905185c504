package desk

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/spelling"
)

// maxNear is among how many runs of a namespace a misspelt name is looked for: each is read by itself.
const maxNear = 15

// Run finds a Workflow; without a namespace, in all that the channel has access to. fault says what is wrong with the name;
// an error is to be tried again.
func (x *Finder) Run(ctx context.Context, f bridge.Facts, id bridge.RunID) (run bridge.Run, fault string, err error) {
	namespaces := []string{id.Namespace}
	if id.Namespace == "" {
		namespaces = x.namespaces(f)
	}
	var found []bridge.Run
	for _, ns := range namespaces {
		run, sees, err := x.in(ctx, f, ns, id)
		if err != nil {
			return run, "", err
		}
		if sees {
			found = append(found, run)
		}
	}
	switch len(found) {
	case 0:
		near, err := x.nearRun(ctx, f, namespaces, id.Name)
		return run, "there is no workflow " + strings.TrimPrefix(id.String(), "/") + " here" + near, err
	case 1:
		return found[0], "", nil
	}
	return run, fmt.Sprintf("several workflows are called %s: write %s or %s", id.Name, found[0].ID(), found[1].ID()), nil
}

// in finds a Workflow in a namespace; of what nobody may see here nothing is asked.
func (x *Finder) in(ctx context.Context, f bridge.Facts, namespace string, id bridge.RunID) (run bridge.Run, sees bool, err error) {
	if !x.reaches(f, namespace) {
		return run, false, nil
	}
	run, err = x.Runs.Find(ctx, namespace, id.Name)
	if bridge.IsPermanent(err) || err == nil && id.UID != "" && run.UID != id.UID {
		return run, false, nil
	}
	if err != nil {
		return run, false, err
	}
	sees, err = x.seesRun(ctx, f, run)
	return run, sees, err
}

// reaches says whether the channel has access to a namespace.
func (x *Finder) reaches(f bridge.Facts, namespace string) bool {
	ok, _ := x.Access.Allows(bridge.Template{Namespace: namespace, Name: "any"}, f)
	return ok
}

// seesRun says whether the person may see a run, by the template that it is of.
func (x *Finder) seesRun(ctx context.Context, f bridge.Facts, run bridge.Run) (bool, error) {
	if !x.reaches(f, run.Namespace) {
		return false, nil
	}
	return x.sees(ctx, f, x.templateOf(run))
}

// templateOf is the template of a run; of one that the bridge does not know, its name.
func (x *Finder) templateOf(run bridge.Run) Template {
	for _, t := range x.Templates.Templates() {
		if t.Ref == run.Template {
			return t
		}
	}
	return Template{Ref: run.Template}
}

// namespaces are those that the channel has access to and the bridge knows of by their templates.
func (x *Finder) namespaces(f bridge.Facts) (all []string) {
	for _, t := range x.open(f) {
		ns := cmp.Or(t.Ref.Namespace, x.ClusterNamespace)
		if ns != "" && !slices.Contains(all, ns) {
			all = append(all, ns)
		}
	}
	return all[:min(len(all), maxNamespaces)]
}

// recent are the newest runs of a namespace that the person may see; of a template, where one is given.
func (x *Finder) recent(ctx context.Context, f bridge.Facts, namespace, template string, limit int) (seen []bridge.Run, err error) {
	runs, err := x.Runs.List(ctx, namespace, template, limit)
	if bridge.IsPermanent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, run := range runs {
		sees, err := x.seesRun(ctx, f, run)
		if err != nil {
			return nil, err
		}
		if sees {
			seen = append(seen, run)
		}
	}
	return seen, nil
}

// nearRun suggests a run: the newest one of a template of that name, or one with a name that is near.
func (x *Finder) nearRun(ctx context.Context, f bridge.Facts, namespaces []string, name string) (string, error) {
	for _, ns := range namespaces {
		if !x.reaches(f, ns) {
			continue
		}
		runs, err := x.recent(ctx, f, ns, "", maxNear)
		if err != nil {
			return "", err
		}
		var names []string
		for _, run := range runs {
			if run.Template.Name == name {
				return "; " + name + " is a template, and " + run.Name + " its newest run", nil
			}
			names = append(names, run.Name)
		}
		if near := spelling.Nearest(name, names); near != "" {
			return "; is " + near + " meant?", nil
		}
	}
	return "", nil
}
