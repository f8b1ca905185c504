package desk

import (
	"context"
	"fmt"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// silences shows what is silent, of what can be seen here.
func (v *visit) silences(ctx context.Context) (string, error) {
	all, err := v.o.Silences.List(ctx)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, s := range all {
		sees, err := v.seesSilence(ctx, s)
		if err != nil {
			return "", err
		}
		if sees {
			lines = append(lines, v.silence(s))
		}
	}
	if len(lines) == 0 {
		return "Nothing is silent.", nil
	}
	return page("*Silences*", lines, "argo-bridge silences list shows all"), nil
}

func (v *visit) seesSilence(ctx context.Context, s bridge.Silence) (bool, error) {
	if s.Template == "" {
		return true, nil
	}
	t := bridge.ParseTemplate(s.Template)
	if ok, _ := v.o.Finder.Access.Allows(t, v.facts); !ok {
		return false, nil
	}
	return v.o.Finder.sees(ctx, v.facts, v.o.Finder.templateOf(bridge.Run{Template: t}))
}

func (v *visit) silence(s bridge.Silence) string {
	what := "all templates"
	if s.Template != "" {
		what = message.Escape(s.Template)
	}
	line := fmt.Sprintf(":no_bell: *%s* until <!date^%d^{date_short_pretty} {time}|%s>", what, s.Until.Unix(), s.Until.UTC().Format("2006-01-02 15:04 UTC"))
	if s.Destination != "" {
		line += " to " + short(s.Destination, maxShown)
	}
	if s.By != "" {
		line += " by " + short(s.By, maxShown)
	}
	if s.Reason != "" {
		line += ": " + short(s.Reason, maxShown)
	}
	return line + " – " + message.Code(v.o.Command+" unsilence "+s.ID)
}
