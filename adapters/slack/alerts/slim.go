package alerts

import (
	"encoding/json"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Bounds of what an alert keeps of a notification: several of them are to fit into one message of the bus.
const (
	keepFailures   = 10
	keepParameters = 60
	keepLog        = 6 << 10 // bytes of each step's log
	keepText       = 2 << 10 // bytes of a message or a parameter
	keepBlocks     = 64 << 10
)

// slim takes out of a notification what no message shows.
func slim(n bridge.Notification) bridge.Notification {
	r := n.Run
	r.Steps, r.Outputs, r.Pauses = nil, nil, nil
	r.Message = clip(r.Message, keepText)
	r.Failures = append([]bridge.Failure(nil), r.Failures[:min(len(r.Failures), keepFailures)]...)
	for i := range r.Failures {
		f := &r.Failures[i]
		f.Path, f.Message = clip(f.Path, keepText), clip(f.Message, keepText)
		f.Log = lastLines(f.Log)
	}
	r.Parameters = append([]bridge.Parameter(nil), r.Parameters[:min(len(r.Parameters), keepParameters)]...)
	for i := range r.Parameters {
		r.Parameters[i].Value = clip(r.Parameters[i].Value, keepText)
	}
	r.Annotations = own(r.Annotations)
	r.Labels = own(r.Labels)
	n.Run = r
	n.Text, n.Reason = clip(n.Text, 4*keepText), clip(n.Reason, keepText)
	n.Options = maps.Clone(n.Options)
	if len(n.Options[bridge.OptionBlocks]) > keepBlocks {
		delete(n.Options, bridge.OptionBlocks) // the default text stands in
	}
	return n
}

// maxState is how large a state may be: a message of the bus has 1 MiB at most, if its settings say nothing else.
const maxState = 900 << 10

// MarshalJSON is the JSON of an alert, without what it can do without where it is too large.
func (e *entry) MarshalJSON() ([]byte, error) {
	type plain entry
	for {
		data, err := json.Marshal((*plain)(e))
		if err != nil || len(data) <= maxState || !e.shrink() {
			return data, err
		}
	}
}

// shrink leaves out what is missed least: logs and parameters of the replies, and then of the message itself.
func (e *entry) shrink() bool {
	for i := range e.Parts {
		if of := e.Parts[i].Of; of != nil && bare(of) {
			return true
		}
	}
	return bare(&e.Newest)
}

// bare leaves out the largest of what a notification can do without; false: nothing of that is left.
func bare(n *bridge.Notification) bool {
	r := &n.Run
	switch {
	case len(n.Options[bridge.OptionBlocks]) > 0:
		n.Options = maps.Clone(n.Options)
		delete(n.Options, bridge.OptionBlocks)
	case len(r.Failures) > 0 && len(r.Failures[0].Log) > 0 || len(r.Failures) > 1:
		r.Failures = append([]bridge.Failure(nil), r.Failures[:1]...)
		r.Failures[0].Log = nil
	case len(r.Parameters) > 0:
		r.Parameters = nil
	default:
		return false
	}
	return true
}

// own keeps the labels or annotations of the bridge and of Argo.
func own(all map[string]string) map[string]string {
	kept := map[string]string{}
	for k, v := range all {
		if strings.Contains(k, "argoproj.io/") && len(v) <= keepText {
			kept[k] = v
		}
	}
	return kept
}

func lastLines(log []string) []string {
	room := keepLog
	for i := len(log) - 1; i >= 0; i-- {
		if room -= len(log[i]) + 1; room < 0 {
			return log[i+1:]
		}
	}
	return log
}

// clip shortens s to n bytes at most, between two characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
