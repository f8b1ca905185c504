package slack

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/spelling"
)

// Bounds of the bridge's own command. A value longer than 64 KiB is none that a Workflow takes.
const (
	MaxCommandText = 64 << 10 // bytes
	MaxArguments   = 200      // words with key=value, and blocks of a form
	maxName        = 253      // of a Kubernetes object
	maxReason      = 300
)

// How long alerts can be silent.
const (
	DefaultSilence = time.Hour
	minSilence     = time.Minute
	maxSilence     = 30 * 24 * time.Hour
)

// A Line is what somebody has written behind the bridge's own command: verb words key=value.
type Line struct {
	// Verb is the first word in lower case; empty: nothing was written.
	Verb string
	// Words are the words between the verb and the first key=value, and Behind those that came after it.
	Words, Behind []string
	// Parameters are the key=value words, in order.
	Parameters []bridge.Parameter
	// Fault says what is wrong with the line whatever its verb is; empty: nothing.
	Fault string
}

var assignment = regexp.MustCompile(`(?s)^([A-Za-z0-9_][A-Za-z0-9_.-]*)=(.*)$`)

// entities are what Slack writes for the characters of its markup in what somebody has typed:
// https://docs.slack.dev/messaging/formatting-message-text#escaping
var entities = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")

// ParseLine reads the text of the command. It takes time and memory in proportion to MaxCommandText at most.
func ParseLine(text string) (l Line) {
	if len(text) > MaxCommandText {
		verb, _, _ := strings.Cut(strings.TrimSpace(text[:maxName]), " ")
		return Line{Verb: clean(verb), Fault: fmt.Sprintf("the command is longer than %d KiB: write large values to an artifact", MaxCommandText>>10)}
	}
	given := map[string]bool{}
	for i, arg := range Args(entities.Replace(text)) {
		word, _ := arg.(string)
		m := assignment.FindStringSubmatch(word)
		switch {
		case i == 0:
			l.Verb = clean(word)
		case i > MaxArguments:
			l.Fault = fmt.Sprintf("that are more than %d arguments", MaxArguments)
			return l
		case m == nil && len(l.Parameters) == 0:
			l.Words = append(l.Words, word)
		case m == nil:
			l.Behind = append(l.Behind, word)
		default:
			if given[m[1]] && l.Fault == "" {
				l.Fault = fmt.Sprintf("the parameter %s is given twice", quote(m[1]))
			}
			given[m[1]] = true
			l.Parameters = append(l.Parameters, bridge.Parameter{Name: m[1], Value: m[2]})
		}
	}
	return l
}

// clean is a word as a name: a phone begins a line with a capital, and names are pasted in backquotes.
func clean(word string) string { return strings.ToLower(strings.Trim(word, "`*_<>")) }

// quote shows what somebody has written, cut to what a sentence can hold.
func quote(s string) string { return strconv.Quote(message.Cut(s, 60)) }

// Verbs of the command that act, with the act, how they are used, and what is wrong with a line, if anything.
var acting = map[string]struct {
	act   bridge.Act
	usage string
	read  func(Line, *bridge.Order) string
}{
	"run":       {bridge.Start, "run <template> [key=value ...]", readRun},
	"retry":     {bridge.Retry, "retry <workflow>", readWorkflow},
	"resubmit":  {bridge.Resubmit, "resubmit <workflow>", readWorkflow},
	"stop":      {bridge.Stop, "stop <workflow>", readWorkflow},
	"approve":   {bridge.Resume, "approve <workflow> [step] [key=value ...]", readStep},
	"reject":    {bridge.Reject, "reject <workflow> [step]", readStep},
	"silence":   {bridge.Mute, "silence <template>|all [for 2h] [reason]", readSilence},
	"unsilence": {bridge.Unmute, "unsilence <id>", readUnsilence},
}

// reading are the verbs that only show something, and how they are used.
var reading = map[string]string{
	"list": "list [part of a name]", "status": "status [workflow or template]", "logs": "logs <workflow> [step]",
	"silences": "silences", "help": "help",
}

// Usages are all verbs of the command with how each is used, in an order for people.
func Usages() (all [][2]string) {
	for _, verb := range []string{
		"list", "run", "status", "logs", "retry", "resubmit", "stop", "approve", "reject", "silence", "silences", "unsilence", "help",
	} {
		usage := reading[verb]
		if usage == "" {
			usage = acting[verb].usage
		}
		all = append(all, [2]string{verb, usage})
	}
	return all
}

// NearestVerb is the verb that was probably meant; empty: none is near.
func NearestVerb(verb string) string {
	var verbs []string
	for _, usage := range Usages() {
		verbs = append(verbs, usage[0])
	}
	return spelling.Nearest(verb, verbs)
}

// Reads says that the line only asks to see something.
func (l Line) Reads() bool {
	_, is := reading[l.Verb]
	return is || l.Verb == ""
}

// Order is what the line orders; nil where it reads, or has a verb that is none. A line that is written wrongly has a Fault.
func (l Line) Order(command string) *bridge.Order {
	verb, is := acting[l.Verb]
	if !is {
		return nil
	}
	o := &bridge.Order{Act: verb.act, Word: command + " " + l.Verb}
	if o.Fault = l.Fault; o.Fault == "" {
		o.Fault = verb.read(l, o)
	}
	if o.Fault != "" {
		o.Fault += ": write " + command + " " + verb.usage
	}
	if len(l.Words) > 0 && o.Fault == "" {
		o.Word += " " + clean(l.Words[0])
	}
	return o
}

var (
	objectName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
	silenceID  = regexp.MustCompile(`^[a-z0-9][-a-z0-9]{0,62}$`)
)

// ParseName reads namespace/name, or a name; ok is false for anything else.
func ParseName(s string) (t bridge.Template, ok bool) {
	t = bridge.ParseTemplate(clean(s))
	valid := func(s string) bool { return len(s) <= maxName && objectName.MatchString(s) }
	return t, valid(t.Name) && (t.Namespace == "" && !strings.Contains(s, "/") || valid(t.Namespace))
}

// named reads the first word of the line as a name.
func named(l Line, what string) (t bridge.Template, fault string) {
	if len(l.Words) == 0 {
		return t, "name a " + what
	}
	t, ok := ParseName(l.Words[0])
	if !ok {
		return t, quote(l.Words[0]) + " is no name of a " + what
	}
	return t, ""
}

func readRun(l Line, o *bridge.Order) string {
	t, fault := named(l, "template")
	stray := slices.Concat(l.Words[min(1, len(l.Words)):], l.Behind)
	switch {
	case fault != "":
		return fault
	case len(stray) > 0:
		return quote(stray[0]) + " is no key=value; a value with spaces stands in quotes, key=\"two words\""
	}
	o.Template, o.Parameters = t.String(), l.Parameters
	return ""
}

func readWorkflow(l Line, o *bridge.Order) string {
	t, fault := named(l, "workflow")
	switch {
	case fault != "":
		return fault
	case len(l.Words)+len(l.Parameters)+len(l.Behind) > 1:
		return "one workflow is all that this takes"
	}
	o.Run = bridge.RunID{Namespace: t.Namespace, Name: t.Name}
	return ""
}

func readStep(l Line, o *bridge.Order) string {
	t, fault := named(l, "workflow")
	switch {
	case fault != "":
		return fault
	case len(l.Words) > 2 || len(l.Behind) > 0:
		return "one step is all that this takes; a step with spaces stands in quotes"
	case len(l.Parameters) > 0 && o.Act == bridge.Reject:
		return "what is rejected takes no parameters"
	}
	o.Run, o.Parameters = bridge.RunID{Namespace: t.Namespace, Name: t.Name}, l.Parameters
	if len(l.Words) == 2 {
		o.Node = message.Cut(l.Words[1], maxName)
	}
	return ""
}
