package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	own "github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/spelling"
	"github.com/slack-go/slack"
)

// run opens the form of a template whose required parameters were not all written. What is written rightly and in full is
// not handled: it is an event, and so is what the person may not run, so that the refusal is recorded.
func (v *visit) run(ctx context.Context) (text string, handled bool) {
	o := v.facts.Order
	t, fault, err := v.o.Finder.Template(ctx, v.facts, o.Template)
	switch {
	case err != nil:
		return v.later(err), true
	case fault != "":
		return ":grey_question: " + sentence(fault), true
	}
	if fault := wrong(t, o.Parameters); fault != "" {
		return ":warning: " + message.Code(o.Word) + ": " + message.Escape(fault), true
	}
	missing := missing(t, o.Parameters)
	if len(missing) == 0 {
		return "", false
	}
	may, _, err := v.o.Finder.Warden.May(ctx, v.facts, bridge.RightRun, t.Ref, t.Allow)
	if err != nil {
		return v.later(err), true
	}
	if !may {
		return "", false
	}
	return v.open(ctx, t, missing), true
}

// open opens the form, and answers where it cannot.
func (v *visit) open(ctx context.Context, t Template, missing []string) string {
	view, fits := form(t, v.facts.Order.Parameters, own.Form{
		Template: t.Ref.String(), Channel: v.form.Get("channel_id"), ChannelName: channelName(v.facts), Command: v.o.Command,
		ResponseURL: v.form.Get("response_url"), At: v.o.Now().Unix(),
	})
	if !fits {
		return ":warning: " + message.Escape(t.Ref.String()) + " has more, or longer, parameters than a form of Slack's can hold. " + v.typed(t, missing)
	}
	client, err := v.o.Clients.Client(v.form.Get("team_id"))
	if err == nil {
		_, err = client.OpenViewContext(ctx, v.form.Get("trigger_id"), view)
	}
	if err == nil {
		return ""
	}
	var refused slack.SlackErrorResponse
	if errors.As(err, &refused) && strings.HasSuffix(refused.Err, "trigger_id") {
		return ":warning: The form came too late for Slack to open it. " + v.typed(t, missing)
	}
	_ = v.later(err)
	return ":warning: Slack does not open the form. " + v.typed(t, missing)
}

// typed says what to write in place of filling in the form.
func (v *visit) typed(t Template, missing []string) string {
	example := v.o.Command + " run " + t.Ref.String()
	for i, name := range missing {
		if i == maxParameters {
			example += " …"
			break
		}
		example += " " + message.Cut(name, 60) + "=…"
	}
	return "Write what it needs: " + message.Code(example)
}

func channelName(f bridge.Facts) string {
	if v := f.Values["channels"]; len(v) > 1 {
		return strings.TrimPrefix(v[1], "#")
	}
	return ""
}

// wrong says what is wrong with the parameters that were written.
func wrong(t Template, given []bridge.Parameter) string {
	var names []string
	for _, d := range t.Declared {
		names = append(names, d.Name)
	}
	for _, p := range given {
		i := slices.Index(names, p.Name)
		if i < 0 {
			return unknown(t, p.Name, names)
		}
		if enum := t.Declared[i].Enum; len(enum) > 0 && !slices.Contains(enum, p.Value) {
			return fmt.Sprintf("the parameter %s is one of %s, not %s", p.Name, listed(enum), strconv.Quote(message.Cut(p.Value, 60)))
		}
	}
	return ""
}

func unknown(t Template, name string, names []string) string {
	text := fmt.Sprintf("%s has no parameter %s", t.Ref, strconv.Quote(message.Cut(name, 60)))
	switch near := spelling.Nearest(name, names); {
	case near != "":
		return text + "; is " + near + " meant?"
	case len(names) == 0:
		return text + ": it has none"
	}
	return text + ": it has " + listed(names)
}

func listed(values []string) string {
	var all []string
	for i, value := range values {
		if i == maxParameters {
			all = append(all, "…")
			break
		}
		all = append(all, message.Cut(value, 60))
	}
	return strings.Join(all, ", ")
}

// missing are the parameters that have no default and were not written.
func missing(t Template, given []bridge.Parameter) (names []string) {
	for _, d := range t.Declared {
		is := func(p bridge.Parameter) bool { return p.Name == d.Name }
		if d.Default == nil && !slices.ContainsFunc(given, is) {
			names = append(names, d.Name)
		}
	}
	return names
}
