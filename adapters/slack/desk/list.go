package desk

import (
	"context"
	"strings"

	own "github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/mask"
)

const (
	maxListed     = 30  // templates of a list
	maxParameters = 12  // of a template
	maxShown      = 120 // characters of a description or value
)

// list shows the templates that can be seen here, those of whose names the word is a part.
func (v *visit) list(ctx context.Context) (string, error) {
	part := strings.ToLower(v.word())
	var lines []string
	more := 0
	for _, t := range v.o.Finder.open(v.facts) {
		if !strings.Contains(t.Ref.String(), part) {
			continue
		}
		if len(lines) == maxListed {
			more++
			continue
		}
		sees, err := v.o.Finder.sees(ctx, v.facts, t)
		if err != nil {
			return "", err
		}
		if sees {
			lines = append(lines, v.describe(t))
		}
	}
	narrow := message.Code(v.o.Command+" list part-of-a-name") + " shows fewer"
	switch {
	case len(lines) == 0 && part == "":
		return "There are no templates here that you can see.", nil
	case len(lines) == 0:
		return "No template that you can see here has " + message.Code(message.Cut(part, 60)) + " in its name.", nil
	case more > 0:
		lines = append(lines, "… and more: "+narrow)
	}
	return page("*Templates*", lines, narrow), nil
}

// describe is one template in a line or two.
func (v *visit) describe(t Template) string {
	line := "• *" + message.Escape(t.Ref.String()) + "*"
	if t.Description != "" {
		line += " – " + short(t.Description, maxShown)
	}
	if len(t.Declared) > 0 {
		line += "\n    " + parameters(t.Declared)
	}
	return line + "\n    " + v.runners(t)
}

// parameters are what a template declares, with defaults; those without one are bold.
func parameters(declared []bridge.Declared) string {
	var all []string
	for i, d := range declared {
		if i == maxParameters {
			all = append(all, "…")
			break
		}
		switch {
		case d.Default == nil:
			all = append(all, "*"+message.Escape(message.Cut(d.Name, maxShown))+"*")
		case *d.Default == "" || mask.Named(d.Name):
			all = append(all, message.Escape(message.Cut(d.Name, maxShown)))
		default:
			all = append(all, short(d.Name, maxShown)+"="+message.Code(message.Cut(*d.Default, 40)))
		}
	}
	return "parameters: " + strings.Join(all, ", ")
}

// runners says who may run a template.
func (v *visit) runners(t Template) string {
	a, said := t.Allow[bridge.RightRun]
	if !said {
		a = v.o.Allow[bridge.RightRun]
	}
	var who []string
	for _, u := range a.Users {
		who = append(who, person(u))
	}
	for _, g := range a.Groups {
		who = append(who, short(g, maxShown))
	}
	if len(who) == 0 && len(a.Channels) == 0 {
		return "nobody may run it from Slack"
	}
	text := "everybody"
	if len(who) > 0 {
		text = strings.Join(who[:min(len(who), 8)], ", ")
	}
	if len(who) > 8 {
		text += ", …"
	}
	if len(a.Channels) > 0 {
		var places []string
		for _, c := range a.Channels[:min(len(a.Channels), 8)] {
			places = append(places, short(c, maxShown))
		}
		text += " in " + strings.Join(places, ", ")
	}
	return text + " may run it"
}

// person shows a user by name; an answer for one pair of eyes calls nobody.
func person(id string) string {
	if own.IsUser(id) {
		return "<@" + id + ">"
	}
	return short(id, maxShown)
}
