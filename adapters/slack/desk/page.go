package desk

import (
	"fmt"
	"strings"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
)

// maxText is how many bytes an answer has at most: https://docs.slack.dev/reference/methods/chat.postMessage#truncating
const maxText = 3900

// page is a heading with as many of the lines as fit, which are Slack's markup. more says how to see the others.
func page(heading string, lines []string, more string) string {
	const tail = 200
	var b strings.Builder
	b.WriteString(heading)
	for i, line := range lines {
		if b.Len()+1+len(line) > maxText-tail {
			fmt.Fprintf(&b, "\n… and %d more: %s", len(lines)-i, more)
			break
		}
		b.WriteString("\n" + line)
	}
	return b.String()
}

// short is text for a line, without breaks.
func short(s string, n int) string {
	return message.Escape(message.CutEscaped(strings.Join(strings.Fields(s), " "), n))
}
