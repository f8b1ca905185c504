package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	own "github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/mask"
)

const maxRuns = 15 // of a list

// status shows one run, the runs of a template, or, without a name, those of all that can be seen here.
func (v *visit) status(ctx context.Context) (string, error) {
	name := v.word()
	if name == "" {
		return v.overview(ctx)
	}
	id, ok := own.ParseName(name)
	if !ok {
		return ":warning: " + message.Code(message.Cut(name, 60)) + " is no name of a workflow or template.", nil
	}
	t, fault, err := v.o.Finder.Template(ctx, v.facts, name)
	if err != nil {
		return "", err
	}
	if fault == "" {
		return v.ofTemplate(ctx, t)
	}
	run, fault, err := v.o.Finder.Run(ctx, v.facts, bridge.RunID{Namespace: id.Namespace, Name: id.Name})
	switch {
	case err != nil:
		return "", err
	case fault != "":
		return ":grey_question: " + sentence(fault), nil
	}
	return v.one(run), nil
}

// overview looks into all namespaces at once, since who asks waits three seconds at most.
func (v *visit) overview(ctx context.Context) (string, error) {
	namespaces := v.o.Finder.namespaces(v.facts)
	found, errs := make([][]bridge.Run, len(namespaces)), make([]error, len(namespaces))
	each := max(3, maxRuns/max(1, len(namespaces)))
	var all sync.WaitGroup
	for i, ns := range namespaces {
		all.Go(func() { found[i], errs[i] = v.o.Finder.recent(ctx, v.facts, ns, "", each) })
	}
	all.Wait()
	return v.table("*Runs*", slices.Concat(found...)), errors.Join(errs...)
}

func (v *visit) ofTemplate(ctx context.Context, t Template) (string, error) {
	ns := t.Ref.Namespace
	if t.Ref.Cluster() {
		ns = v.o.Finder.ClusterNamespace
	}
	runs, err := v.o.Finder.recent(ctx, v.facts, ns, t.Ref.Name, maxRuns)
	if err != nil {
		return "", err
	}
	return v.table("*Runs of "+message.Escape(t.Ref.String())+"*", runs), nil
}

// table lists runs: those that go on first, and of each kind the newest first.
func (v *visit) table(heading string, runs []bridge.Run) string {
	if len(runs) == 0 {
		return heading + "\nThere are none."
	}
	slices.SortStableFunc(runs, func(a, b bridge.Run) int {
		if a.Completed() != b.Completed() {
			if b.Completed() {
				return -1
			}
			return 1
		}
		return b.Created.Compare(a.Created)
	})
	var lines []string
	for _, run := range runs[:min(len(runs), maxRuns)] {
		lines = append(lines, v.summary(run))
	}
	return page(heading, lines, message.Code(v.o.Command+" status template")+" shows fewer")
}

// summary is a run in one line.
func (v *visit) summary(run bridge.Run) string {
	name := run.ID().String()
	line := emoji(run) + " " + message.Anchor(v.o.Link(name), name)
	if run.Template.Name != "" {
		line += " of " + message.Escape(run.Template.String())
	}
	return line + " " + v.stands(run)
}

// stands says how the run stands, for how long, and since when.
func (v *visit) stands(run bridge.Run) string {
	now := v.o.Now()
	switch {
	case waiting(run) != nil:
		return "waits at " + message.Code(message.Cut(waiting(run).Path, maxShown)) + " for somebody's approval"
	case !run.Completed() && run.Started.IsZero():
		return "is about to start, made " + ago(now, run.Created)
	case !run.Completed():
		return "runs for " + message.Duration(now.Sub(run.Started))
	}
	word := "failed"
	if run.Phase == "Succeeded" {
		word = "succeeded"
	} else if run.Stopped() {
		word = "was stopped"
	}
	if d := run.Duration(); d > 0 {
		word += " after " + message.Duration(d)
	}
	return word + ", " + ago(now, run.Finished)
}

// one is all that is to say of one run.
func (v *visit) one(run bridge.Run) string {
	var lines []string
	if run.Message != "" {
		lines = append(lines, "> "+short(mask.Secrets(run.Message), 300))
	}
	for _, f := range run.Failures[:min(len(run.Failures), 5)] {
		line := ":small_red_triangle: " + message.Code(message.Cut(f.Path, maxShown))
		if f.Message != "" {
			line += " " + short(mask.Secrets(f.Message), 300)
		}
		lines = append(lines, line)
	}
	if p := waiting(run); p != nil {
		lines = append(lines, "Let it go on: "+message.Code(v.o.Command+" approve "+run.ID().String())+", or "+message.Code(v.o.Command+" reject "+run.ID().String()))
	}
	if actor := run.Annotations[bridge.AnnotationActor]; actor != "" {
		lines = append(lines, "started by "+short(actor, maxShown)+" "+ago(v.o.Now(), run.Created))
	}
	lines = append(lines, message.Code(v.o.Command+" logs "+run.ID().String())+" shows what it wrote.")
	return page(v.summary(run), lines, "")
}

// waiting is the suspended step at which a run waits; nil: it does not.
func waiting(run bridge.Run) *bridge.Pause {
	if run.Completed() {
		return nil
	}
	for i, p := range run.Pauses {
		if p.Open() {
			return &run.Pauses[i]
		}
	}
	return nil
}

func emoji(run bridge.Run) string {
	switch {
	case waiting(run) != nil:
		return ":raised_hand:"
	case run.Phase == "Succeeded":
		return ":white_check_mark:"
	case run.Completed() && run.Stopped():
		return ":black_square_for_stop:"
	case run.Completed():
		return ":x:"
	case run.Started.IsZero():
		return ":hourglass_flowing_sand:"
	}
	return ":arrow_forward:"
}

// ago is how long it has been.
func ago(now, at time.Time) string {
	if at.IsZero() {
		return "some time ago"
	}
	return message.Duration(now.Sub(at)) + " ago"
}

// sentence is a fault as one.
func sentence(fault string) string {
	if fault == "" {
		return ""
	}
	text := message.Escape(strings.ToUpper(fault[:1]) + fault[1:])
	if strings.HasSuffix(text, "?") {
		return text
	}
	return fmt.Sprint(text, ".")
}
