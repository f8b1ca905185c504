package flow

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/watch"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// An outcome is all that is known of a schedule that is over.
type outcome struct {
	schedule
	events  []sentEvent // in the order of the bus
	changes []change
	results map[string]bridge.Result // by the event's hash
}

// judge lists the breaches. Asked of every policy:
//
//   - Each event is matched or skipped, the latter for concurrency; none waits for ever.
//   - A matched event has exactly one Workflow, whatever became of it; a skipped one has none.
//   - When a bridge makes a Workflow, at most limit runs of the group are in flight, itself included.
//   - In a group, Workflows are made in the order of the events on the bus.
//
// Of queue: no event is skipped. Of skip: an event is skipped only when its group was full. Of the others: an event is
// skipped only for a later one of its group, so that the last event of each is matched. Of cancel-in-progress: only
// a run for which a later event had come is stopped, and it bears the reason. Of all others: no run is stopped.
func (o outcome) judge() []string {
	j := &judgement{outcome: o, byHash: map[string]int{}, live: map[string]change{}, made: map[string]int{}, latest: map[string]int{}, spans: map[string]*span{}}
	for i, e := range o.events {
		j.byHash[e.hash] = i
	}
	for _, c := range o.changes {
		j.see(c)
	}
	for i := range o.events {
		j.event(i)
	}
	return j.breaches
}

// A judgement goes through the changes in their order.
type judgement struct {
	outcome
	byHash   map[string]int // → index of the event
	live     map[string]change
	made     map[string]int // Workflows by event
	latest   map[string]int // by group, the last event of which a Workflow was made
	spans    map[string]*span
	breaches []string
}

// A span is how long a run was in flight; its end is zero as long as it is.
type span struct {
	group      string
	begin, end time.Time
}

func (j *judgement) breach(format string, args ...any) {
	j.breaches = append(j.breaches, fmt.Sprintf(format, args...))
}

func (j *judgement) see(c change) {
	before, known := j.live[c.name]
	switch {
	case c.kind == watch.Deleted || c.done:
		delete(j.live, c.name)
		if known {
			j.spans[c.name].end = c.at
		}
	case known:
		j.live[c.name] = change{before.at, c.kind, c.run} // at: since when it is there
	default:
		j.live[c.name] = c
		j.spans[c.name] = &span{group: c.group, begin: c.at}
		if c.ours {
			j.begins(c)
		}
	}
	if known && c.shutdown != "" && before.shutdown == "" {
		j.stops(c)
	}
}

// begins judges a Workflow that a bridge has made.
func (j *judgement) begins(c change) {
	certain := 0
	for _, r := range j.live {
		if r.group == c.group && (r.ours || c.at.Sub(r.at) > sight) {
			certain++
		}
	}
	if certain > j.limit {
		j.breach("%s was made although that makes %d runs of the group %q, the limit is %d", c.name, certain, c.group, j.limit)
	}
	i, ok := j.byHash[c.event]
	if !ok {
		j.breach("%s is of no event that was sent", c.name)
		return
	}
	if j.made[c.event]++; j.made[c.event] > 1 {
		j.breach("%s has %d Workflows", j.events[i].id, j.made[c.event])
	}
	if c.group != j.label(j.events[i].group) {
		j.breach("%s is of %s, but in the group %q", c.name, j.events[i].id, c.group)
	}
	if last, any := j.latest[c.group]; any && last > i {
		j.breach("%s was started after %s", j.events[i].id, j.events[last].id)
	}
	j.latest[c.group] = i
}

// stops judges a run that somebody has stopped, which in this world a bridge alone does.
func (j *judgement) stops(c change) {
	if j.policy != bridge.CancelInProgress {
		j.breach("%s was stopped by the policy %s", c.name, j.policy)
	}
	if c.reason == "" {
		j.breach("%s was stopped and does not say why", c.name)
	}
	if !c.ours && len(j.groups) == 0 {
		j.breach("%s, started by hand in no group, was stopped", c.name)
	}
	own := -1
	if i, ok := j.byHash[c.event]; ok {
		own = i
	}
	for i, e := range j.events {
		if i > own && j.label(e.group) == c.group {
			return
		}
	}
	j.breach("%s was stopped, and no event of its group came later", c.name)
}

// event judges what became of an event.
func (j *judgement) event(i int) {
	e := j.events[i]
	r, ok := j.results[e.hash]
	switch {
	case !ok || !r.Settled():
		j.breach("%s is not settled: %+v", e.id, r)
	case r.Verdict == bridge.Matched:
		if j.made[e.hash] == 0 {
			j.breach("%s is matched, and has no Workflow", e.id)
		}
	case r.Verdict != bridge.Skipped || r.Reason != bridge.ReasonConcurrency:
		j.breach("%s is %s (%s): %s", e.id, r.Verdict, r.Reason, r.Detail)
	default:
		j.skipped(i, r)
	}
}

func (j *judgement) skipped(i int, r bridge.Result) {
	e := j.events[i]
	if n := j.made[e.hash]; n > 0 {
		j.breach("%s is skipped, and has %d Workflows", e.id, n)
	}
	switch j.policy {
	case bridge.Queue:
		j.breach("%s is skipped by the policy queue", e.id)
	case bridge.Skip:
		if n := j.around(j.label(e.group), r.At); n < j.limit {
			j.breach("%s is skipped, and %d runs were in flight: %s", e.id, n, r.Detail)
		}
	default:
		for _, later := range j.events[i+1:] {
			if later.group == e.group || len(j.groups) == 0 {
				return
			}
		}
		j.breach("%s is skipped, and is the last event of its group: %s", e.id, r.Detail)
	}
}

// around is how many runs of a group a bridge may at most have held for being in flight at a time.
func (j *judgement) around(group string, at time.Time) (n int) {
	for _, s := range j.spans {
		if s.group == group && s.begin.Before(at.Add(sight)) && (s.end.IsZero() || s.end.After(at.Add(-sight))) {
			n++
		}
	}
	return n
}
