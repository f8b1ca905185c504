package match

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// An Entry is one entry of the access section: the namespaces, by globs, and what their templates may
// be started by, by globs. An event of a repository needs an entry with that repository, one of a
// bucket an entry with that bucket, one of a Slack workspace an entry with the workspace and the
// channel (no channels: all of the workspace; no workspaces: the channels of any), the end of a workflow one
// with its namespace, and any other event one with its name. The templates of the namespace in which a
// workflow has ended need no entry for it.
type Entry struct {
	Namespaces   []string `json:"namespaces" yaml:"namespaces"`
	Repositories []string `json:"repositories,omitempty" yaml:"repositories"`
	Buckets      []string `json:"buckets,omitempty" yaml:"buckets"`
	Workspaces   []string `json:"workspaces,omitempty" yaml:"workspaces"`
	Channels     []string `json:"channels,omitempty" yaml:"channels"`
	Workflows    []string `json:"workflows,omitempty" yaml:"workflows"`
	Events       []string `json:"events,omitempty" yaml:"events"`
}

// Access says which templates may be started by which events. The zero value allows nothing.
type Access struct {
	all     bool
	cluster string
	entries []entry
}

// keyNamespaces is the fact that holds the namespace of a workflow that has ended.
const keyNamespaces = "namespaces"

type entry struct{ namespaces, repositories, buckets, workspaces, channels, workflows, events globs }

// AllowAll allows everything: it is for an install that serves one namespace, its own.
func AllowAll() Access { return Access{all: true} }

// AllowNone allows nothing.
func AllowNone() Access { return Access{} }

// NewAccess compiles the access section. The runs of ClusterWorkflowTemplates are made in
// clusterNamespace, so their rules need that namespace's access. The error names every bad entry.
func NewAccess(entries []Entry, clusterNamespace string) (Access, error) {
	a := Access{cluster: clusterNamespace}
	var errs []error
	for i, e := range entries {
		compiled, err := compileEntry(e)
		if err != nil {
			errs = append(errs, fmt.Errorf("access[%d]: %w", i, err))
		}
		a.entries = append(a.entries, compiled)
	}
	if err := errors.Join(errs...); err != nil {
		return Access{}, err
	}
	return a, nil
}

func compileEntry(e Entry) (entry, error) {
	var c entry
	var errs []error
	if len(e.Namespaces) == 0 {
		errs = append(errs, errors.New("namespaces: the list is empty"))
	}
	for _, f := range []struct {
		name     string
		patterns []string
		fold     bool
		into     *globs
	}{
		{"namespaces", e.Namespaces, false, &c.namespaces},
		{"repositories", e.Repositories, true, &c.repositories},
		{"buckets", e.Buckets, false, &c.buckets},
		{"workspaces", e.Workspaces, false, &c.workspaces},
		{"channels", e.Channels, false, &c.channels},
		{"workflows", e.Workflows, false, &c.workflows},
		{"events", e.Events, false, &c.events},
	} {
		if len(f.patterns) == 0 {
			continue
		}
		g, err := compileGlobs(f.patterns, f.fold)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.name, err))
		}
		*f.into = g
	}
	return c, errors.Join(errs...)
}

// Allows says whether the event may start the template, and if not, why.
func (a Access) Allows(t bridge.Template, f bridge.Facts) (bool, string) {
	return a.forEvent(f).allows(t)
}

// eventAccess is what the access section says about one event, so that its globs are matched once
// per event and not per rule.
type eventAccess struct {
	access  Access
	facts   bridge.Facts
	entries []*entry // those that have the event
}

func (a Access) forEvent(f bridge.Facts) eventAccess {
	e := eventAccess{access: a, facts: f}
	for i := range a.entries {
		if a.entries[i].has(f) {
			e.entries = append(e.entries, &a.entries[i])
		}
	}
	return e
}

func (e *entry) has(f bridge.Facts) bool {
	if v := f.Values["repositories"]; len(v) > 0 {
		return e.repositories.every(v)
	}
	if v := f.Values["buckets"]; len(v) > 0 {
		return e.buckets.every(v)
	}
	if v := f.Values["workspaces"]; len(v) > 0 {
		return e.hasSlack(v, f.Values["channels"])
	}
	if v := f.Values[keyNamespaces]; len(v) > 0 {
		return e.workflows.every(v)
	}
	return e.events.match(f.Name)
}

func (e *entry) hasSlack(workspaces, channels []string) bool {
	if len(e.workspaces.patterns) == 0 && len(e.channels.patterns) == 0 {
		return false
	}
	return (len(e.workspaces.patterns) == 0 || e.workspaces.every(workspaces)) &&
		(len(e.channels.patterns) == 0 || e.channels.any(channels))
}

// every wants all values to match: an event of two repositories needs access to both.
func (g globs) every(values []string) bool {
	for _, v := range values {
		if !g.match(v) {
			return false
		}
	}
	return true
}

func (e eventAccess) allows(t bridge.Template) (bool, string) {
	if e.access.all {
		return true, ""
	}
	namespace := t.Namespace
	if t.Cluster() {
		namespace = e.access.cluster
	}
	if slices.Contains(e.facts.Values[keyNamespaces], namespace) {
		return true, ""
	}
	for _, entry := range e.entries {
		if entry.namespaces.match(namespace) {
			return true, ""
		}
	}
	return false, fmt.Sprintf("namespace %q has no access to %s", namespace, subject(e.facts))
}

// subject is what the access section would have to name.
func subject(f bridge.Facts) string {
	for _, s := range []struct{ key, word string }{
		{"repositories", "repository"}, {"buckets", "bucket"}, {keyNamespaces, "the workflows of namespace"},
	} {
		if v := f.Values[s.key]; len(v) > 0 {
			return s.word + " " + strings.Join(v, ", ")
		}
	}
	if v := f.Values["workspaces"]; len(v) > 0 {
		s := "Slack workspace " + strings.Join(v, ", ")
		if c := f.Values["channels"]; len(c) > 0 {
			s += ", channel " + strings.Join(c, " ")
		}
		return s
	}
	return "event " + f.Name
}
