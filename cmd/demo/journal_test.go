package main

import (
	"testing"
	"time"
)

func TestTheJournalOrdersByTimeAndFindsAWorkflowsEvent(t *testing.T) {
	t.Parallel()
	j, at := newJournal(), time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	j.add(entry{at: at, kind: kindStored, event: "before the mark"})
	mark := j.mark()
	j.add(entry{at: at.Add(3), kind: kindNotified, workflow: "argo/w", text: "third"}) // names no event
	j.add(entry{at: at.Add(2), kind: kindSubmitted, event: "e", workflow: "argo/w", text: "second"})
	j.add(entry{at: at.Add(1), kind: kindStored, event: "e", text: "first"})
	j.add(entry{at: at.Add(9), kind: kindPhase, event: "e", text: "too young"})
	j.add(entry{at: at, kind: kindStored, event: "another"})
	got := j.of("e", mark, at.Add(5))
	if len(got) != 3 || got[0].text != "first" || got[1].text != "second" || got[2].text != "third" {
		t.Errorf("got %+v", got)
	}
}

func TestTheJournalKnowsARepeatedEvent(t *testing.T) {
	t.Parallel()
	j := newJournal()
	for range 2 {
		j.add(entry{kind: kindStored, event: "e"})
	}
	got := j.of("e", 0, time.Now())
	if len(got) != 2 || got[0].kind != kindStored || got[1].kind != kindRepeated {
		t.Errorf("got %+v", got)
	}
}
