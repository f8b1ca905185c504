package main

import (
	"io"
	"strings"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
	"github.com/argo-bridge/argo-bridge/adapters/gcs/setup"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/app"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// needs are what the rules in some files want to hear of Cloud Storage. Faults are lint's to tell.
func needs(paths []string, stdin io.Reader) ([]setup.Need, error) {
	files, err := workflowtemplates.Load(paths, stdin)
	if err != nil {
		return nil, err
	}
	language := app.Language()
	var all []setup.Need
	for _, in := range files.Inputs {
		t := workflowtemplates.Parse(in, language)
		for _, r := range append(t.Rules, t.Faulty...) {
			all = append(all, needsOf(r)...)
		}
	}
	return all, nil
}

func needsOf(r *bridge.Rule) []setup.Need {
	var all []setup.Need
	for _, t := range r.Triggers {
		name, ok := strings.CutPrefix(t.Event, "gcs.")
		if !ok {
			continue
		}
		n := setup.Need{Who: r.Template.String() + ", rule " + r.Name, EventType: gcs.EventType(name), Wants: wants(t.Filters)}
		for _, f := range t.Filters {
			for _, b := range match.Beginnings(f) {
				switch {
				case f.Key() == "buckets" && b.Whole:
					n.Buckets = append(n.Buckets, b.Text)
				case f.Key() == "objects":
					n.Prefixes = append(n.Prefixes, b.Text)
				}
			}
		}
		all = append(all, n)
	}
	return all
}

// wants tests a bucket's name by the filter buckets; without one, every bucket will do.
func wants(filters []bridge.Filter) func(bucket string) bool {
	return func(bucket string) bool {
		for _, f := range filters {
			if f.Key() != "buckets" {
				continue
			}
			if ok, _ := f.Test(bridge.Facts{Values: map[string][]string{"buckets": {bucket}}}); !ok {
				return false
			}
		}
		return true
	}
}
