package sweep

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	gh "github.com/google/go-github/v60/github"

	"github.com/argo-bridge/argo-bridge/adapters/github"
)

// perPage is GitHub's greatest page.
const perPage = 100

// A reading is what the list of deliveries told.
type reading struct {
	failed map[string]*failure
	// arrived are deliveries with a success among those whose failures may be known already.
	arrived map[string]bool
	// newest is the time of the newest delivery; zero where there is none. whole: the list was read to its end.
	newest time.Time
	whole  bool
}

// read goes from the newest delivery back to the first that is older than until. What it has read when it fails is
// returned with the error.
func (s *Sweeper) read(ctx context.Context, until time.Time) (*reading, error) {
	r := &reading{failed: map[string]*failure{}, arrived: map[string]bool{}}
	options := &gh.ListCursorOptions{PerPage: perPage}
	for {
		page, answer, err := s.deliveries.ListHookDeliveries(ctx, options)
		if err != nil {
			return r, fmt.Errorf("list the deliveries of the App's webhook: %w", github.Classify(err))
		}
		for _, d := range page {
			if d.GetDeliveredAt().Before(until) {
				r.whole = true
				return r, nil
			}
			r.add(d)
		}
		if answer.Cursor == "" {
			r.whole = true
			return r, nil
		}
		options.Cursor = answer.Cursor
	}
}

// add takes the next older attempt. A success settles its delivery: one that was sent again may have failed before, and a
// first attempt may have failed again later, when somebody asked for it without need.
func (r *reading) add(d *gh.HookDelivery) {
	guid, at := d.GetGUID(), d.GetDeliveredAt().Time
	if r.newest.IsZero() {
		r.newest = at
	}
	if succeeded(d) {
		delete(r.failed, guid)
		if d.GetRedelivery() {
			r.arrived[guid] = true
		}
		return
	}
	if r.arrived[guid] || guid == "" {
		return
	}
	if f := r.failed[guid]; f != nil {
		f.First = at
		return
	}
	r.failed[guid] = &failure{Attempt: d.GetID(), Status: d.GetStatusCode(), At: at, First: at, Event: d.GetEvent()}
}

func succeeded(d *gh.HookDelivery) bool {
	return d.GetStatusCode() >= 200 && d.GetStatusCode() < 300
}

// merge brings what was read into the state: it says which deliveries have arrived that the state holds as failed. What
// does not find room is left for the next sweep, which then reads from there.
func (st *state) merge(r *reading) (arrived []string) {
	for guid := range r.arrived {
		if st.Failed[guid] != nil {
			arrived = append(arrived, guid)
		}
	}
	open, left := len(st.oldest()), time.Time{}
	for _, guid := range r.oldest() {
		found, known := r.failed[guid], st.Failed[guid]
		switch {
		case known != nil:
			known.follow(found)
		case open < maxOpen && len(st.Failed) < maxFailed:
			st.Failed[guid] = found
			open++
		case left.IsZero():
			left = found.At
		}
	}
	if r.whole && !r.newest.IsZero() {
		st.Read = r.newest
		if !left.IsZero() && left.Before(st.Read) {
			st.Read = left
		}
	}
	return arrived
}

// oldest are the GUIDs of what failed, that with the oldest attempt first.
func (r *reading) oldest() []string {
	guids := make([]string, 0, len(r.failed))
	for guid := range r.failed {
		guids = append(guids, guid)
	}
	slices.SortFunc(guids, func(a, b string) int {
		return cmp.Or(r.failed[a].At.Compare(r.failed[b].At), cmp.Compare(a, b))
	})
	return guids
}

// follow takes a newer attempt that failed.
func (f *failure) follow(newer *failure) {
	if newer.Attempt <= f.Attempt {
		return
	}
	if f.Asked > 0 && f.Attempt == f.Since {
		f.Next = newer.At.Add(pauses[min(f.Tried, len(pauses)-1)])
		f.Tried++
	}
	f.Attempt, f.Status, f.At = newer.Attempt, newer.Status, newer.At
	if f.Settled == Permanent || f.Settled == Attempts {
		return
	}
	f.Settled = ""
}
