// Package threads keeps, on the bus, which events there were about the same pull request or commit, and which commits
// people have approved: what an order such as /retest or /ok-to-test is about.
package threads

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// A Table is a bucket of the bus whose entries age.
type Table interface {
	Get(ctx context.Context, key string) (bus.Entry, bool, error)
	Put(ctx context.Context, key string, value []byte) error
	Update(ctx context.Context, key string, value []byte, revision uint64) error
	List(ctx context.Context, filter string) ([]bus.Entry, error)
}

// A Book keeps the threads. Safe for concurrent use by several processes.
type Book struct{ Table Table }

// Join puts an event into threads.
func (b Book) Join(ctx context.Context, threads []string, p bridge.Post) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	for _, thread := range threads {
		if err := b.Table.Put(ctx, bridge.Digest(thread)+".event."+p.Event, data); err != nil {
			return fmt.Errorf("thread %s: %w", thread, err)
		}
	}
	return nil
}

// Posts are the events of a thread, the newest first.
func (b Book) Posts(ctx context.Context, thread string) ([]bridge.Post, error) {
	entries, err := b.Table.List(ctx, bridge.Digest(thread)+".event.*")
	if err != nil {
		return nil, fmt.Errorf("thread %s: %w", thread, err)
	}
	var posts []bridge.Post
	for _, e := range entries {
		var p bridge.Post
		if err := json.Unmarshal(e.Value, &p); err != nil {
			return nil, fmt.Errorf("thread %s: %w", thread, err)
		}
		posts = append(posts, p)
	}
	slices.SortFunc(posts, func(a, b bridge.Post) int { return cmp.Compare(b.Sequence, a.Sequence) })
	return posts, nil
}

// Approvers are who has approved a commit of a thread.
func (b Book) Approvers(ctx context.Context, thread, commit string) (who []string, err error) {
	who, _, err = b.approvers(ctx, approval(thread, commit))
	return who, err
}

// Approve notes that somebody has approved a commit of a thread.
func (b Book) Approve(ctx context.Context, thread, commit, who string) error {
	key := approval(thread, commit)
	for {
		before, revision, err := b.approvers(ctx, key)
		if err != nil || slices.Contains(before, who) {
			return err
		}
		data, err := json.Marshal(append(before, who))
		if err != nil {
			return err
		}
		if err := b.Table.Update(ctx, key, data, revision); !errors.Is(err, bus.ErrConflict) {
			return err
		}
	}
}

func (b Book) approvers(ctx context.Context, key string) (who []string, revision uint64, err error) {
	entry, found, err := b.Table.Get(ctx, key)
	if err != nil || !found {
		return nil, 0, err
	}
	if err := json.Unmarshal(entry.Value, &who); err != nil {
		return nil, 0, fmt.Errorf("approvals %s: %w", key, err)
	}
	return who, entry.Revision, nil
}

func approval(thread, commit string) string {
	return bridge.Digest(thread) + ".approved." + bridge.Digest(commit)
}
