package inflight

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
)

// pageSize is how many Workflows are listed at once: their metadata alone, a kilobyte or two each.
const pageSize = 500

// Refresh asks the API server which Workflows are in flight, and counts those that the watch has not shown yet.
// Who begins to lead calls it: the one before may have made some a moment ago.
func (t *Tracker) Refresh(ctx context.Context) error {
	listed, err := t.list(ctx)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, r := range listed {
		// One that was seen and is not running has ended since.
		if _, expected := t.expected[key]; !expected && !t.knows(key) {
			t.expect(key, r)
		}
	}
	return nil
}

// list reads what is in flight from the API server itself, not from its cache.
func (t *Tracker) list(ctx context.Context) (map[string]run, error) {
	var resource metadata.ResourceInterface = t.client.Resource(workflows)
	if t.namespace != "" {
		resource = t.client.Resource(workflows).Namespace(t.namespace)
	}
	found := map[string]run{}
	options := metav1.ListOptions{LabelSelector: selector, Limit: pageSize}
	for {
		page, err := resource.List(ctx, options)
		if err != nil {
			return nil, fmt.Errorf("list workflows in flight: %w", err)
		}
		for i := range page.Items {
			if r := readRun(&page.Items[i]); r.relevant() {
				found[page.Items[i].Namespace+"/"+page.Items[i].Name] = r
			}
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return found, nil
		}
	}
}

// forgetOld drops names that nobody asks for any more, and expectations that were not met.
func (t *Tracker) forgetOld(ctx context.Context) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			t.forget(t.now())
			t.review(ctx, t.now())
		}
	}
}

func (t *Tracker) forget(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for n, at := range t.seen {
		if at < uint32(now.Add(-remember).Unix()) {
			delete(t.seen, n)
		}
	}
}

// review asks for the Workflows that were made long ago and that no watch has shown: they have ended, or the watch
// is late.
func (t *Tracker) review(ctx context.Context, now time.Time) {
	if !t.overdue(now) {
		return
	}
	listed, err := t.list(ctx)
	if err != nil {
		return // they count until the API server says that they do not
	}
	var gone []run
	t.mu.Lock()
	for key, x := range t.expected {
		if _, there := listed[key]; !there && x.until.Before(now) {
			t.drop(key)
			gone = append(gone, x.run)
		}
	}
	t.mu.Unlock()
	for _, r := range gone {
		t.freed(r.limits()...)
	}
}

func (t *Tracker) overdue(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range t.expected {
		if x.until.Before(now) {
			return true
		}
	}
	return false
}
