package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"time"

	own "github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
	"go.uber.org/zap"
)

// Options are the parts of a desk. All are needed, but Rules, Link and Now.
type Options struct {
	// Command is the bridge's own slash command; default: slack.DefaultCommand.
	Command string
	Finder  *Finder
	Logs    Logs
	// Allow is what the config allows where a template says nothing: for people to see who may run what.
	Allow    bridge.Allowances
	Silences bridge.Silences
	Clients  Clients
	// Rules lets rules have verbs of the command of their own. Default: what is no verb of the bridge is answered with help.
	Rules Rules
	// Link leads to a Workflow, named namespace/name, in the Argo UI; "" for no link.
	Link func(workflow string) string
	Log  *zap.Logger
	Now  func() time.Time // default: time.Now
}

// A Desk is a slack.Desk.
type Desk struct{ o Options }

var _ own.Desk = (*Desk)(nil)

// New makes a desk of its parts.
func New(o Options) *Desk {
	if o.Command == "" {
		o.Command = own.DefaultCommand
	}
	if o.Link == nil {
		o.Link = func(string) string { return "" }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Desk{o}
}

// A visit is one command at the desk.
type visit struct {
	*Desk
	form  url.Values
	facts bridge.Facts
	line  own.Line
}

// Command implements slack.Desk. A command that acts is not handled, unless it is written wrongly or needs a form.
func (d *Desk) Command(ctx context.Context, form url.Values) (answer []byte, handled bool) {
	if form.Get("command") != d.o.Command {
		return nil, false
	}
	e, err := own.TranslateCommand([]byte(form.Encode()), d.o.Now())
	if err != nil {
		return nil, false // is refused as malformed
	}
	f, _, err := own.FactFinder{Command: d.o.Command}.Facts(e)
	if err != nil {
		return nil, false
	}
	v := &visit{d, form, f, own.ParseLine(form.Get("text"))}
	text, handled := v.answer(ctx)
	if !handled || text == "" {
		return nil, handled
	}
	return private(text), true
}

func (v *visit) answer(ctx context.Context) (text string, handled bool) {
	switch order := v.facts.Order; {
	case order != nil && order.Fault != "":
		return ":warning: " + message.Code(order.Word) + ": " + message.Escape(order.Fault), true
	case order != nil && order.Act == bridge.Start:
		return v.run(ctx)
	case order != nil:
		return "", false
	case !v.line.Reads():
		if v.o.Rules != nil && v.o.Rules.Wants(v.facts) {
			return "", false
		}
		return v.unknown(), true
	case v.line.Fault != "":
		return ":warning: " + message.Escape(v.line.Fault), true
	}
	return v.show(ctx), true
}

func (v *visit) show(ctx context.Context) string {
	shows := map[string]func(context.Context) (string, error){
		"list": v.list, "status": v.status, "logs": v.logs, "silences": v.silences,
	}
	show, is := shows[v.line.Verb]
	if !is {
		return v.help()
	}
	text, err := show(ctx)
	if err != nil {
		return v.later(err)
	}
	return text
}

// later says that something cannot be told now. Why, is in the log: it is nothing that who asks can cure.
func (v *visit) later(err error) string {
	v.o.Log.Warn("a command cannot be answered", zap.String("verb", v.line.Verb), zap.Error(err))
	return ":warning: That cannot be looked up now: try again in a moment."
}

// word is the one word that a reading command takes; empty: none.
func (v *visit) word() string {
	if len(v.line.Words) == 0 {
		return ""
	}
	return v.line.Words[0]
}

// private is an answer for the eyes of who gave the command.
func private(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(map[string]string{"response_type": slack.ResponseTypeEphemeral, "text": text}) // texts alone
	return b.Bytes()
}
