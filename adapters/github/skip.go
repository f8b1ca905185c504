package github

import (
	"regexp"
	"strings"
)

// skips are the words in a commit's message by which its author wants nothing run, whatever their case:
// https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs
var skips = []string{"[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"}

// skipTrailer is the last line of a message that says the same.
var skipTrailer = regexp.MustCompile(`(?i)^skip-checks:[ \t]*true$`)

// SkipsCI says why the message of an event's head commit lets nothing run: "[skip ci] in the commit's message". It is
// empty where the message has none of GitHub's words for that, and no trailer skip-checks: true at its end, which a blank
// line must stand before (git itself leaves but one of the two that GitHub's page asks for).
func SkipsCI(message string) string {
	lower := strings.ToLower(message)
	for _, word := range skips {
		if strings.Contains(lower, word) {
			return word + " in the commit's message"
		}
	}
	lines := strings.Split(strings.ReplaceAll(strings.TrimRight(message, " \t\r\n"), "\r\n", "\n"), "\n")
	if !skipTrailer.MatchString(strings.TrimSpace(lines[len(lines)-1])) {
		return ""
	}
	for _, line := range lines[:len(lines)-1] {
		if strings.TrimSpace(line) == "" {
			return "skip-checks: true in the commit's message"
		}
	}
	return ""
}
