package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/mapping"
)

// An explainedFlow is when the Workflow would be made; what the rule does not say is null.
type explainedFlow struct {
	Concurrency *explainedGroup  `json:"concurrency,omitempty"`
	Ordered     *string          `json:"ordered,omitempty"` // the key
	LatestOnly  *explainedObject `json:"latestOnly,omitempty"`
	Rate        *explainedRate   `json:"rate,omitempty"`
	Batch       *explainedBatch  `json:"batch,omitempty"`
}

type explainedGroup struct {
	Group      string          `json:"group"`
	Limit      int             `json:"limit"`
	Policy     bridge.Policy   `json:"policy"`
	MaxWaiting int             `json:"maxWaiting,omitempty"`
	Shutdown   bridge.Shutdown `json:"shutdown,omitempty"`
}

type explainedObject struct {
	Object  string `json:"object"`
	Version string `json:"version"`
}

type explainedRate struct {
	Count    int    `json:"count"`
	Per      string `json:"per"`
	Interval string `json:"interval"` // between two Workflows
}

type explainedBatch struct {
	Group    string `json:"group"`
	MaxItems int    `json:"maxItems"`
	MaxWait  string `json:"maxWait"`
}

// explainFlow is nil for a rule whose Workflows are made at once.
func explainFlow(e bridge.Event, f bridge.Facts, rule *bridge.Rule, variables map[string]any) (*explainedFlow, error) {
	if rule.Flow.Free() {
		return nil, nil
	}
	keys, err := mapping.Keys(rule, variables)
	if err != nil {
		return nil, err
	}
	x := &explainedFlow{}
	if c := rule.Flow.Concurrency; c != nil {
		x.Concurrency = &explainedGroup{keys.Group, c.Limit, c.Policy, c.MaxWaiting, c.Shutdown}
	}
	if rule.Flow.Ordered != nil {
		x.Ordered = &keys.Order
	}
	if rule.Flow.LatestOnly {
		x.LatestOnly = objectOf(e, f)
	}
	if r := rule.Flow.Rate; r != (bridge.Rate{}) {
		x.Rate = &explainedRate{r.Count, r.Per.String(), r.Interval().String()}
	}
	if b := rule.Flow.Batch; b != nil {
		x.Batch = &explainedBatch{keys.Batch, b.MaxItems, b.MaxWait.String()}
	}
	return x, nil
}

// objectOf is what latest-only compares, see [bridge.Facts].
func objectOf(e bridge.Event, f bridge.Facts) *explainedObject {
	if f.Object != "" {
		return &explainedObject{f.Object, f.Version}
	}
	o := &explainedObject{Object: e.Subject}
	if !e.Time.IsZero() {
		o.Version = e.Time.UTC().Format(time.RFC3339Nano)
	}
	return o
}

// text has one line for each part.
func (x *explainedFlow) text() string {
	var b strings.Builder
	if c := x.Concurrency; c != nil {
		fmt.Fprintf(&b, "concurrency: group %s, limit %d, policy %s", plain(c.Group), c.Limit, c.Policy)
		if c.MaxWaiting > 0 {
			fmt.Fprintf(&b, ", at most %d waiting", c.MaxWaiting)
		}
		if c.Shutdown != "" {
			fmt.Fprintf(&b, ", shutdown %s", c.Shutdown)
		}
		b.WriteString("\n")
	}
	if x.Ordered != nil {
		fmt.Fprintf(&b, "ordered: after the others of %s\n", plain(*x.Ordered))
	}
	if o := x.LatestOnly; o != nil {
		fmt.Fprintf(&b, "latest-only: object %s, version %s\n", plain(cmp.Or(o.Object, "-")), plain(cmp.Or(o.Version, "-")))
	}
	if r := x.Rate; r != nil {
		fmt.Fprintf(&b, "rate: %d in %s, one every %s\n", r.Count, r.Per, r.Interval)
	}
	if batch := x.Batch; batch != nil {
		b.WriteString("batch: ")
		if batch.Group != "" {
			fmt.Fprintf(&b, "group %s, ", plain(batch.Group))
		}
		fmt.Fprintf(&b, "up to %d events in %s\n", batch.MaxItems, batch.MaxWait)
	}
	return b.String()
}
