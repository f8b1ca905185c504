package workflowtemplates

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// The reference is whole: what a template's author can write stands on it. That its examples are true,
// docs/annotations_test.go holds.
func TestTheReferenceHasEveryWordOfTheLanguage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/annotations.md")
	if err != nil {
		t.Fatal(err)
	}
	language := map[string][]string{
		"key": keys, "field of concurrency": concurrencyFields, "field of batch": batchFields, "way to stop a run": shutdowns,
		"policy": words(bridge.Policies), "outcome": words(bridge.Outcomes), "field of slack": slackFields, "right": words(bridge.Rights), "unit of a rate": slices.Sorted(maps.Keys(rateUnits)),
	}
	for _, event := range []string{"github.push", "gcs.finalized", "slack.command", "slack.action", "slack.message", workflowSource + ".succeeded"} {
		language["filter of "+event] = slices.Sorted(maps.Keys(filterReaders(event)))
	}
	for what, all := range language {
		for _, word := range all {
			if !strings.Contains(string(page), "`"+word+"`") {
				t.Errorf("docs/annotations.md has no %s `%s`", what, word)
			}
		}
	}
	for _, scheme := range schemeNames {
		if !strings.Contains(string(page), "`"+scheme+":") {
			t.Errorf("docs/annotations.md has no destination of %s", scheme)
		}
	}
}

func words[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}
