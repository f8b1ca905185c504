package setup

import (
	"context"
	"fmt"
)

// A State is what Apply found of a thing, or made of it.
type State string

// The states of a thing after Apply.
const (
	Created State = "created"
	There   State = "there"
	Changed State = "changed"
)

// A Result is one thing on the way of the notifications.
type Result struct {
	State   State
	Subject string
	// Detail says what was changed, and from what.
	Detail string
}

// A step makes one thing. commands are what does the same by gcloud, written for a shell.
type step struct {
	subject  string
	ensure   func(context.Context, *Cloud, agents) (State, string, error)
	commands []string
}

// steps are in an order in which each finds what it needs.
func (w Wanted) steps() []step {
	steps := []step{
		w.topicStep(w.topic()),
		w.topicStep(w.deadLetters()),
		w.deadSubscriptionStep(),
		w.subscriptionStep(),
	}
	for _, g := range w.grants() {
		steps = append(steps, g.step())
	}
	return append(steps, w.notificationStep())
}

// Apply makes what is missing and changes what differs, step by step, and reports each. It ends at the first step that
// cannot be done; asked again it goes on there.
func Apply(ctx context.Context, c *Cloud, w Wanted, report func(Result)) error {
	a, err := c.agents(ctx, w)
	if err != nil {
		return err
	}
	for _, s := range w.steps() {
		state, detail, err := s.ensure(ctx, c, a)
		if err != nil {
			return fmt.Errorf("%s: %w", s.subject, explain(err))
		}
		report(Result{State: state, Subject: s.subject, Detail: detail})
	}
	return nil
}
