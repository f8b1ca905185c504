package orders

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// usualMute is how long a silence lasts when nothing is said, maxMute the longest.
const (
	usualMute = time.Hour
	maxMute   = 30 * 24 * time.Hour
)

// mute keeps alerts quiet for a time. The event gives the silence its name, so that it is one however often the order is
// carried out.
func (x *errand) mute(ctx context.Context) (string, error) {
	if err := x.allowedMute(ctx); err != nil {
		return "", err
	}
	lasts := x.order.For
	if lasts == 0 {
		lasts = usualMute
	}
	if lasts < time.Minute || lasts > maxMute {
		return "", bridge.Permanent(fmt.Errorf("a silence lasts from a minute to 30 days, not %s", lasts))
	}
	now := x.Now().UTC()
	from := now
	if !x.event.Time.IsZero() && x.event.Time.Before(now) {
		from = x.event.Time.UTC()
	}
	s := bridge.Silence{
		ID: "order-" + x.replayID(), Template: x.order.Template, Destination: x.place(), Until: from.Add(lasts).Truncate(time.Second),
		By: x.facts.Actor, Reason: x.order.Reason, Created: from,
	}
	if !s.Until.After(now) {
		return "", bridge.Permanent(fmt.Errorf("the silence until %s is over already: the bridge has heard of it late", moment(s.Until, now)))
	}
	if err := x.Silences.Add(ctx, s); err != nil {
		return "", err
	}
	return fmt.Sprintf("alerts of %s are silent until %s", x.what(), moment(s.Until, now)), nil
}

// unmute ends a silence by its ID, or the silences of a template, or of all, at the place of the order.
func (x *errand) unmute(ctx context.Context) (string, error) {
	if x.order.Silence != "" {
		return x.unmuteOne(ctx)
	}
	if err := x.allowedMute(ctx); err != nil {
		return "", err
	}
	silences, err := x.Silences.List(ctx)
	if err != nil {
		return "", err
	}
	text := "alerts of " + x.what() + " are not silent any more"
	for _, s := range silences {
		switch {
		case s.Template == x.order.Template && (x.place() == "" || s.Destination == x.place()):
			if err := x.Silences.Remove(ctx, s.ID); err != nil {
				return "", err
			}
		case s.Covers(x.order.Template, x.place()):
			text = fmt.Sprintf("a silence of more than %s lasts until %s", x.what(), moment(s.Until, x.Now()))
		}
	}
	return text, nil
}

// unmuteOne ends the silence of an ID, if the person may silence what it is of.
func (x *errand) unmuteOne(ctx context.Context) (string, error) {
	silences, err := x.Silences.List(ctx)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(silences, func(s bridge.Silence) bool { return s.ID == x.order.Silence })
	if i < 0 {
		return "", bridge.Permanent(fmt.Errorf("there is no silence %s any more", x.order.Silence))
	}
	x.order.Template = silences[i].Template
	t := bridge.ParseTemplate(x.order.Template)
	if err := x.allowed(ctx, t, t); err != nil {
		return "", err
	}
	return "alerts of " + x.what() + " are not silent any more", x.Silences.Remove(ctx, silences[i].ID)
}

// allowedMute returns a Permanent error if the person may not silence the template's alerts, or if there is none.
func (x *errand) allowedMute(ctx context.Context) error {
	t := bridge.ParseTemplate(x.order.Template)
	if err := x.allowed(ctx, t, t); err != nil {
		return err
	}
	if _, known := x.Templates.Allowances(t); !known && x.order.Template != "" {
		return bridge.Permanent(fmt.Errorf("there is no template %s", t))
	}
	return nil
}

// place is the one destination that the order is for; empty: all.
func (x *errand) place() string {
	if x.order.Place == (bridge.Destination{}) {
		return ""
	}
	return x.order.Place.String()
}

// what is silent, for people.
func (x *errand) what() string {
	what := "all templates"
	if x.order.Template != "" {
		what = bridge.ParseTemplate(x.order.Template).Name
	}
	if x.place() != "" {
		what += " to " + x.place()
	}
	return what
}

// moment is a time for people: 15:04 UTC, with the day where it is another one.
func moment(at, now time.Time) string {
	at, now = at.UTC(), now.UTC()
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format("15:04 UTC")
	}
	return at.Format("Jan 2, 15:04 UTC")
}
