package dispatch

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// A Table is a small table on the bus; *bus.Bucket is one.
type Table interface {
	Get(ctx context.Context, key string) (bus.Entry, bool, error)
	Put(ctx context.Context, key string, value []byte) error
	// Update fails with bus.ErrConflict when the key has changed since that revision; 0: when it exists.
	Update(ctx context.Context, key string, value []byte, revision uint64) error
	Delete(ctx context.Context, key string) error
}

// rates paces the rules that have a rate. When each was last started stands on the bus, so that a new leader goes on
// at the same pace. The zero value is ready to use.
type rates struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func rateKey(rule *bridge.Rule) string {
	return "rate." + bridge.Digest(rule.Template.String()+"\n"+rule.Name)
}

// next returns nil when a rule may be started now, and waiting.Later when not.
func (r *rates) next(ctx context.Context, table Table, rule *bridge.Rule, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.check(ctx, table, rule, now)
}

// take is next, and uses the place up.
func (r *rates) take(ctx context.Context, table Table, rule *bridge.Rule, now time.Time) error {
	if (rule.Flow.Rate == bridge.Rate{}) {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.check(ctx, table, rule, now); err != nil {
		return err
	}
	// Before the Workflow is made: cut off between the two, a place is lost, and the pace is kept.
	if err := table.Put(ctx, rateKey(rule), []byte(strconv.FormatInt(now.UnixNano(), 10))); err != nil {
		return err
	}
	r.last[rateKey(rule)] = now
	return nil
}

func (r *rates) check(ctx context.Context, table Table, rule *bridge.Rule, now time.Time) error {
	interval := rule.Flow.Rate.Interval()
	if interval == 0 {
		return nil
	}
	last, err := r.load(ctx, table, rateKey(rule))
	if err != nil {
		return err
	}
	if last.After(now.Add(interval)) {
		last = now // by the clock of another leader
	}
	if at := last.Add(interval); at.After(now) {
		return waiting.Later{At: at}
	}
	return nil
}

func (r *rates) load(ctx context.Context, table Table, key string) (time.Time, error) {
	if last, known := r.last[key]; known {
		return last, nil
	}
	entry, found, err := table.Get(ctx, key)
	if err != nil {
		return time.Time{}, err
	}
	var last time.Time
	if found {
		nanoseconds, err := strconv.ParseInt(string(entry.Value), 10, 64)
		if err != nil {
			return last, fmt.Errorf("rate of a rule: %w", err)
		}
		last = time.Unix(0, nanoseconds)
	}
	if r.last == nil {
		r.last = map[string]time.Time{}
	}
	r.last[key] = last
	return last, nil
}

// reset forgets what is known: another may have led since.
func (r *rates) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = nil
}
