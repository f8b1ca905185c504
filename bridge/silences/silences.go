// Package silences keeps on the bus which alerts are to be quiet until when, for all replicas and across restarts.
package silences

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// MaxLength is the longest silence: who needs more takes the destination out of the template.
const MaxLength = 30 * 24 * time.Hour

// A Table is a bucket of the bus.
type Table interface {
	Put(ctx context.Context, key string, value []byte) error
	Delete(ctx context.Context, key string) error
	List(ctx context.Context, filter string) ([]bus.Entry, error)
}

// A Book is the bridge.Silences of a table.
type Book struct {
	Table Table
	Now   func() time.Time
}

var _ bridge.Silences = Book{}

var id = regexp.MustCompile(`^[a-z0-9][-a-z0-9]{0,62}$`)

// Check says what is wrong with a silence: a Permanent error.
func Check(s bridge.Silence, now time.Time) error {
	switch {
	case !id.MatchString(s.ID):
		return bridge.Permanent(fmt.Errorf("silence: the id %q is not of lower-case letters, digits and dashes", s.ID))
	case !s.Until.After(now):
		return bridge.Permanent(errors.New("silence: it ends before it begins"))
	case s.Until.Sub(now) > MaxLength:
		return bridge.Permanent(fmt.Errorf("silence: it is longer than %d days", MaxLength/(24*time.Hour)))
	}
	return nil
}

// Add implements bridge.Silences. What Check refuses is a Permanent error; a silence that has ended meanwhile, such as one
// that is added again after a crash, is added no more.
func (b Book) Add(ctx context.Context, s bridge.Silence) error {
	now := b.Now()
	if !s.Created.IsZero() && s.Until.After(s.Created) && !s.Until.After(now) {
		return nil
	}
	if err := Check(s, now); err != nil {
		return err
	}
	data, err := json.Marshal(s)
	if err != nil {
		return bridge.Permanent(err)
	}
	return b.Table.Put(ctx, s.ID, data)
}

// Remove implements bridge.Silences.
func (b Book) Remove(ctx context.Context, of string) error {
	if !id.MatchString(of) {
		return nil
	}
	return b.Table.Delete(ctx, of)
}

// List implements bridge.Silences. Those that have ended it clears away.
func (b Book) List(ctx context.Context) ([]bridge.Silence, error) {
	entries, err := b.Table.List(ctx, ">")
	if err != nil {
		return nil, fmt.Errorf("silences: %w", err)
	}
	var all []bridge.Silence
	now := b.Now()
	for _, e := range entries {
		var s bridge.Silence
		if err := json.Unmarshal(e.Value, &s); err != nil || !s.Until.After(now) {
			if err := b.Table.Delete(ctx, e.Key); err != nil {
				return nil, fmt.Errorf("silences: %w", err)
			}
			continue
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b bridge.Silence) int { return a.Until.Compare(b.Until) })
	return all, nil
}
