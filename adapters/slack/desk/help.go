package desk

import (
	"strings"

	own "github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
)

// does says of each verb what it does.
var does = map[string]string{
	"list": "the templates that you can see here", "run": "starts a template; what it needs and you do not write, a form asks for",
	"status": "what runs, and how it ended", "logs": "the last lines of a workflow's steps",
	"retry": "tries the failed steps again", "resubmit": "starts the same anew", "stop": "stops it; its exit handlers run",
	"approve": "lets a workflow go on at the step at which it waits", "reject": "fails the step at which it waits",
	"silence": "keeps alerts quiet; what fails meanwhile is told when it ends", "silences": "what is silent, and until when",
	"unsilence": "ends a silence", "help": "this",
}

func (v *visit) help() string {
	var b strings.Builder
	b.WriteString("*What `" + v.o.Command + "` does*")
	for _, usage := range own.Usages() {
		b.WriteString("\n• " + message.Code(v.o.Command+" "+usage[1]) + " – " + does[usage[0]])
	}
	b.WriteString("\nNames are those of the cluster, `namespace/name` or just the name. Who may do what, each template says.")
	return b.String()
}

// unknown answers a verb that is none.
func (v *visit) unknown() string {
	text := ":grey_question: There is no " + message.Code(message.Cut(v.o.Command+" "+v.line.Verb, 60)) + "."
	if near := own.NearestVerb(message.Cut(v.line.Verb, 60)); near != "" {
		text += " Is " + message.Code(v.o.Command+" "+near) + " meant?"
	}
	return text + "\n" + v.help()
}
