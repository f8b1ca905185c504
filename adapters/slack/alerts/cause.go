package alerts

import (
	"regexp"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

var (
	numbers = regexp.MustCompile(`[0-9a-f]*[0-9][0-9a-f]*`)
	// generic messages say nothing of the cause.
	generic = regexp.MustCompile(`(?i)^(|error|failed|child '.*' failed|.*\(?exit code #?\)?|no more retries left|main: error.*|step group deemed errored.*|task .* errored.*)$`)
)

// causeOf is what a run failed of, without what differs from run to run; empty when its message says nothing.
func causeOf(m bridge.Notification) string {
	said := m.Run.Message
	if len(m.Run.Failures) > 0 {
		said = m.Run.Failures[0].Message
	}
	said = strings.ReplaceAll(said, m.Run.Name, "#")
	said = strings.Join(strings.Fields(numbers.ReplaceAllString(said, "#")), " ")
	if generic.MatchString(said) {
		return ""
	}
	return said[:min(len(said), 300)]
}
