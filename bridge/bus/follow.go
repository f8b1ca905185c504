package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// followCheck is how often a follower asks whether it has been told of everything.
const followCheck = 10 * time.Second

// A Followed says what Follow reports.
type Followed struct {
	// New leaves out what the bucket holds at the start.
	New bool
	// Deletes reports deleted keys as well.
	Deletes bool
}

// Follow calls seen with every entry that the bucket holds and then with every change, until ctx
// ends. loaded is called once, after the last entry that stood there at the start. It returns an error
// when the bucket cannot be followed any more, was lost and made anew, or changes without a word to the
// follower: then begin again.
func (b *Bucket) Follow(ctx context.Context, f Followed, seen func(Entry), loaded func()) error {
	b.bus.mu.Lock()
	anew := b.anew
	b.bus.mu.Unlock()
	var options []jetstream.WatchOpt
	if f.New {
		options = append(options, jetstream.UpdatesOnly())
	}
	w, err := b.kv.WatchAll(ctx, options...)
	if err != nil {
		return fmt.Errorf("follow bucket %s: %w", b.name, err)
	}
	defer func() { _ = w.Stop() }()
	p := &progress{bucket: b}
	if f.New {
		loaded()
		p.loaded(ctx)
	}
	check := time.NewTicker(followCheck)
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-anew:
			return fmt.Errorf("follow bucket %s: it was made anew", b.name)
		case <-check.C:
			if p.stalled(ctx) {
				return fmt.Errorf("follow bucket %s: it changes, and nobody tells", b.name)
			}
		case e, ok := <-w.Updates():
			switch {
			case !ok:
				return fmt.Errorf("follow bucket %s: the subscription has ended", b.name)
			case e == nil:
				loaded()
				p.loaded(ctx)
			default:
				entry := entryOf(e)
				p.last = entry.Revision
				if f.Deletes || !entry.Deleted {
					seen(entry)
				}
			}
		}
	}
}

// A progress knows up to which sequence a follower was told, and whether the bucket has gone on without it.
type progress struct {
	bucket *Bucket
	ready  bool
	last   uint64 // sequence of the last change that was reported
	behind bool   // at the check before the bucket was ahead, and last was before
	before uint64
}

// loaded is where the bucket stands when all is read: what has aged is not reported.
func (p *progress) loaded(ctx context.Context) {
	if at, err := p.bucket.Last(ctx); err == nil {
		p.last = max(p.last, at)
	}
	p.ready = true
}

// stalled says that the bucket was ahead at two checks, and nothing was reported between them.
func (p *progress) stalled(ctx context.Context) bool {
	at, err := p.bucket.Last(ctx)
	if err != nil || !p.ready || at <= p.last {
		p.behind = false
		return false
	}
	stalled := p.behind && p.before == p.last
	p.behind, p.before = true, p.last
	return stalled
}
