package github

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

const (
	tablePage  = "../../docs/github-events.md"
	tableStart = "<!-- events -->\n"
	tableEnd   = "<!-- end of events -->"
)

// A kindOfEvent is what the bridge knows of the events of one name, by GitHub's examples of them.
type kindOfEvent struct {
	subject string
	context map[string]bool
	filters map[string]bool
}

func TestThePageListsEveryEvent(t *testing.T) {
	t.Parallel()
	kinds := map[string]*kindOfEvent{}
	for file, body := range payloads(t) {
		if eventOf(file) == "ping" {
			continue // answered by the webhook itself
		}
		e, err := Translate(eventOf(file), delivery, body)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		f, _, err := FactFinder{}.Facts(e)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		variables, err := f.Variables()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		k := kinds[f.Name]
		if k == nil {
			k = &kindOfEvent{context: map[string]bool{}, filters: map[string]bool{}}
			kinds[f.Name] = k
		}
		// The first by name, so that the page stays the same.
		if e.Subject != "" && (k.subject == "" || e.Subject < k.subject) {
			k.subject = e.Subject
		}
		for name := range variables["github"].(map[string]any) {
			k.context[name] = true
		}
		for name := range f.Values {
			k.filters[name] = true
		}
		for name := range f.Missing {
			k.filters[name] = true
		}
	}
	table := "| event | subject, for example | `github.…`, beside `event` and `event_name` | filters |\n|---|---|---|---|\n"
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		k := kinds[name]
		delete(k.context, "event")
		delete(k.context, "event_name")
		table += fmt.Sprintf("| `%s` | %s | %s | %s |\n", name, code(k.subject), list(k.context), list(k.filters))
	}
	data, err := os.ReadFile(tablePage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(data), tableStart)
	_, after, found := strings.Cut(rest, tableEnd)
	if !found {
		t.Fatalf("%s has no table", tablePage)
	}
	golden(t, tablePage, before+tableStart+table+tableEnd+after)
}

func code(s string) string {
	if s == "" {
		return "–"
	}
	return "`" + strings.ReplaceAll(s, "|", `\|`) + "`"
}

func list(names map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(names)), ", ")
}
