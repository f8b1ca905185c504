package main

import (
	"slices"
	"sync"
	"time"
)

// A kind is what an entry of the journal tells.
type kind string

// The kinds, in the order of an event's way.
const (
	kindReceived  kind = "received"
	kindAnswered  kind = "answered"
	kindStored    kind = "stored"
	kindRepeated  kind = "repeated"
	kindFiltered  kind = "filtered"
	kindRejected  kind = "rejected"
	kindSubmitted kind = "submitted"
	kindPhase     kind = "phase"
	kindStep      kind = "step"
	kindNotified  kind = "notified"
	kindTrouble   kind = "trouble"
)

// An entry is one thing that happened to an event.
type entry struct {
	at    time.Time
	kind  kind
	place int    // in the journal
	event string // the event's id; empty until the journal knows the Workflow's
	text  string
	// What the summary needs; empty where it does not apply.
	template, workflow, phase, reason, told string
}

// A journal collects what the bridge's log and the cluster tell, in any order. Safe for concurrent use.
type journal struct {
	mu        sync.Mutex
	entries   []entry
	workflows map[string]string // namespace/name → event id
	seen      map[string]bool   // events that were stored
}

func newJournal() *journal {
	return &journal{workflows: map[string]string{}, seen: map[string]bool{}}
}

// add takes an entry. One about a Workflow that has no event yet waits for the entry that names it.
func (j *journal) add(e entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e.event != "" && e.workflow != "" {
		j.workflows[e.workflow] = e.event
	}
	if e.kind == kindStored {
		if j.seen[e.event] {
			e.kind, e.text = kindRepeated, "the bus holds it already; nothing more happens"
		}
		j.seen[e.event] = true
	}
	e.place = len(j.entries)
	j.entries = append(j.entries, e)
}

// mark is the journal's length: what is added later stands behind it.
func (j *journal) mark() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries)
}

// of returns what happened to an event behind the mark and up to a time, in order of time.
func (j *journal) of(event string, mark int, until time.Time) []entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []entry
	for _, e := range j.entries[mark:] {
		if e.event == "" {
			e.event = j.workflows[e.workflow]
		}
		if e.event == event && !e.at.After(until) {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b entry) int { return a.at.Compare(b.at) })
	return found
}
