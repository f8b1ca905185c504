package app

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/ledger"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

func openOrigins(t *testing.T) *origins {
	t.Helper()
	log := zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel))
	c := bus.Config{DataDir: t.TempDir()}.Defaults()
	b, err := bus.Open(t.Context(), c, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	all, err := openTables(t.Context(), b, c)
	if err != nil {
		t.Fatal(err)
	}
	return &origins{
		bus: b, ledger: ledger.New(all.ledger, c.RecordAge(), log), finders: Finders(github.Identity{}, ""), log: log,
		rules: rulesOf{workflowtemplates.NewCatalog(workflowtemplates.CatalogOptions{})},
	}
}

var order = bridge.Event{ID: "1", Source: "//shop", Type: "com.example.order", Data: json.RawMessage(`{"total": 7}`)}

func recorded(workflow string) bridge.Record {
	return bridge.Record{
		Event: order.ID, Source: order.Source, Type: order.Type, Sequence: 1, Done: true,
		Results: []bridge.Result{{Template: "a/t", Rule: "default", Verdict: bridge.Matched, Workflow: workflow}},
	}
}

func runOf(namespace, hash string) bridge.Run {
	return bridge.Run{Namespace: namespace, Name: "t-x", Labels: map[string]string{bridge.LabelEvent: hash}}
}

func TestTheEventOfARunIsToldInTheNamespaceInWhichItHasStartedSomething(t *testing.T) {
	t.Parallel()
	o := openOrigins(t)
	if err := o.bus.Publish(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	if err := o.ledger.Put(t.Context(), recorded("a/t-x")); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		run  bridge.Run
		want bool
	}{
		"the run that it has started":            {runOf("a", order.Hash()), true},
		"a run by hand":                          {runOf("a", ""), false},
		"a label that is none of the bridge's":   {runOf("a", "*.>"), false},
		"a run elsewhere that bears the label":   {runOf("b", order.Hash()), false},
		"a namespace whose name begins the same": {runOf("", order.Hash()), false},
		"an event that is not known any more":    {runOf("a", bridge.Event{ID: "old"}.Hash()), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start, err := o.Start(t.Context(), test.run)
			if err != nil || (start != nil) != test.want {
				t.Fatalf("got %v, %v", start, err)
			}
			if start != nil && (start.Key() != order.Key() || string(start.Data) != string(order.Data)) {
				t.Errorf("got %+v", start)
			}
		})
	}
}

// always says that every event starts one template.
type always bridge.Template

func (a always) Match(bridge.Facts, match.Variables) []bridge.Decision {
	return []bridge.Decision{{Rule: &bridge.Rule{Template: bridge.Template(a)}, Verdict: bridge.Matched}}
}

func (a always) Rule(bridge.Template, string) (*bridge.Rule, bridge.Decision) {
	return nil, bridge.Decision{}
}

// A process died between making the Workflow and recording that; the Workflow ends before the event comes again.
func TestTheEventOfARunWithoutARecordIsFoundAmongTheUnsettled(t *testing.T) {
	t.Parallel()
	o := openOrigins(t)
	if err := o.bus.Publish(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := o.bus.ConsumeEvents(ctx, 1, func(context.Context, bridge.Event, bus.Delivery) error {
		cancel()
		return errors.New("died")
	}); err != nil {
		t.Fatal(err)
	}
	o.rules = always{Namespace: "a", Name: "t"}
	run := runOf("a", order.Hash())
	run.Template = bridge.Template{Namespace: "a", Name: "t"}
	if start, err := o.Start(t.Context(), run); err != nil || start == nil || start.Key() != order.Key() {
		t.Errorf("got %v, %v", start, err)
	}
	run.Namespace, run.Template.Namespace = "b", "b" // somebody who has copied the label
	if start, err := o.Start(t.Context(), run); err != nil || start != nil {
		t.Errorf("a template that the event does not start is told of it: %v, %v", start, err)
	}
}
