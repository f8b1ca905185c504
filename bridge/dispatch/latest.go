package dispatch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// A newest is the newest event about one object that has fitted a rule.
type newest struct {
	Version  string `json:"version"`
	Sequence uint64 `json:"sequence"` // its place on the bus, which decides between equal versions
	Event    string `json:"event"`    // its id
}

func (n newest) compare(m newest) int {
	return cmp.Or(cmp.Compare(n.Version, m.Version), cmp.Compare(n.Sequence, m.Sequence))
}

// newestOf is an event as latest-only compares it, and the key of what it is about.
func newestOf(rule *bridge.Rule, e bridge.Event, f bridge.Facts, sequence uint64) (key string, n newest) {
	object, version := f.Object, f.Version
	if object == "" {
		object = e.Subject
	}
	if version == "" && !e.Time.IsZero() {
		version = e.Time.UTC().Format("2006-01-02T15:04:05.000000000Z")
	}
	key = bridge.Digest(rule.Template.String()+"\n"+rule.Name) + "." + bridge.Digest(e.Source+"\n"+object)
	return key, newest{version, sequence, e.ID}
}

// latest remembers an event that fits a rule with latest-only, if it is the newest about its object.
func (h *handling) latest(ctx context.Context, rule *bridge.Rule) error {
	if !rule.Flow.LatestOnly {
		return nil
	}
	key, ours := newestOf(rule, h.event, h.facts, h.record.Sequence)
	for {
		seen, revision, err := h.seen(ctx, key)
		if err != nil || revision > 0 && ours.compare(seen) <= 0 {
			return err
		}
		data, err := json.Marshal(ours)
		if err != nil {
			return err
		}
		if err := h.Latest.Update(ctx, key, data, revision); !errors.Is(err, bus.ErrConflict) {
			return err
		}
	}
}

// newer says which event has made another stale; empty: none.
func (d *Dispatcher) newer(ctx context.Context, rule *bridge.Rule, e bridge.Event, f bridge.Facts, sequence uint64) (string, error) {
	key, ours := newestOf(rule, e, f, sequence)
	seen, revision, err := d.seen(ctx, key)
	if err != nil || revision == 0 || seen.Event == ours.Event || ours.compare(seen) >= 0 {
		return "", err
	}
	return fmt.Sprintf("there is a newer event about it: %s", seen.Event), nil
}

func (d *Dispatcher) seen(ctx context.Context, key string) (n newest, revision uint64, err error) {
	entry, found, err := d.Latest.Get(ctx, key)
	if err != nil || !found {
		return n, 0, err
	}
	if err := json.Unmarshal(entry.Value, &n); err != nil {
		return n, 0, fmt.Errorf("newest event of %s: %w", key, err)
	}
	return n, entry.Revision, nil
}
