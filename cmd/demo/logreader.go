package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
)

// A logReader is an io.Writer that reads the bridge's JSON log into the journal, line by line. The names of the
// fields stand in bridge/logkeys.go.
type logReader struct {
	journal *journal
	serving chan string // gets the bridge's address once, when it serves

	mu      sync.Mutex
	rest    []byte
	address string
}

func newLogReader(j *journal) *logReader {
	return &logReader{journal: j, serving: make(chan string, 1)}
}

// Write takes any piece of the log.
func (r *logReader) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rest = append(r.rest, p...)
	for {
		line, rest, found := bytes.Cut(r.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		r.rest = rest
		r.line(line)
	}
}

// A logLine is one line of the bridge's log.
type logLine struct {
	Level       string    `json:"level"`
	Time        time.Time `json:"time"`
	Message     string    `json:"msg"`
	Component   string    `json:"component"`
	Address     string    `json:"address"`
	EventID     string    `json:"event_id"`
	EventType   string    `json:"event_type"`
	Template    string    `json:"template"`
	Rule        string    `json:"rule"`
	Reason      string    `json:"reason"`
	Detail      string    `json:"detail"`
	Workflow    string    `json:"workflow"`
	Outcome     string    `json:"outcome"`
	Destination string    `json:"destination"`
	Took        float64   `json:"took"` // seconds
	Error       string    `json:"error"`
}

func (r *logReader) line(raw []byte) {
	var l logLine
	if json.Unmarshal(raw, &l) != nil {
		return // not of the bridge's own log, such as a crash's trace, which stays in the file
	}
	switch l.Message {
	case "listening":
		r.address = l.Address
	case "serving":
		select {
		case r.serving <- r.address:
		default:
		}
	}
	for _, e := range l.entries() {
		r.journal.add(e)
	}
}

// entries are what a line tells of an event.
func (l logLine) entries() []entry {
	e := entry{at: l.Time, event: l.EventID, template: l.Template, workflow: l.Workflow, reason: l.Reason}
	switch l.Message {
	case "event stored":
		took := time.Duration(l.Took * float64(time.Second))
		received := e
		received.at, received.kind, received.text = l.Time.Add(-took), kindReceived, l.EventType
		e.kind, e.text = kindStored, fmt.Sprintf("on the bus after %.1f ms; only now is the source acknowledged", 1000*l.Took)
		return []entry{received, e}
	case "rule matched":
		e.kind, e.text = kindSubmitted, fmt.Sprintf("%s (rule %s of %s)", l.Workflow, l.Rule, l.Template)
	case "rule filtered":
		e.kind, e.text = kindFiltered, fmt.Sprintf("%s (rule %s of %s)", l.Detail, l.Rule, l.Template)
	case "rule rejected":
		e.kind, e.text = kindRejected, fmt.Sprintf("%s (rule %s of %s)", l.Detail, l.Rule, l.Template)
	case "event was handled before":
		e.kind, e.text = kindRepeated, "the ledger knows it; nothing is started again"
	case "notified":
		e.kind, e.told = kindNotified, l.Outcome+" "+l.Destination
		e.text = fmt.Sprintf("%s: %s", l.Destination, l.Outcome)
	default:
		if l.Level != "warn" && l.Level != "error" {
			return nil
		}
		e.kind, e.text = kindTrouble, strings.TrimSpace(l.Message+": "+l.Error)
	}
	return []entry{e}
}
