package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/admin"
	"github.com/argo-bridge/argo-bridge/bridge/admin/client"
)

// exitNothing is the exit code of a replay that started nothing.
const exitNothing = 1

func replayCommand() *cli.Command {
	return &cli.Command{
		Name:      "replay",
		Usage:     "handle one event again, or the past events that a template or an outcome names",
		ArgsUsage: "[ID]",
		Description: "The rules of now decide. One event starts all rules that fit it, under new names, also those that\n" +
			"it has started before:\n\n" +
			"   argo-bridge events replay -n argo 72d3162e-cc78-11e3-81ab-4c9367dc0958 --rule nightly\n\n" +
			"Many events start only what they have not started before, so that asking twice starts nothing\n" +
			"twice: a new rule asks for the past, or what was rejected or parked gets another try:\n\n" +
			"   argo-bridge events replay -n argo --template ci --since 2h\n" +
			"   argo-bridge events replay -n argo --outcome rejected --since 1d --dry-run\n\n" +
			"It asks nothing back: --dry-run shows first what would be made, as the API server would take it.\n" +
			"With -o json, each line is one decision.\n\n" +
			"Exit code: 0 when something was (or would be) started, 1 when nothing was or it failed, 2 for a\n" +
			"wrong call.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "template", Usage: "start the `TEMPLATE` alone, a name or namespace/name; with --since: for past events"},
			&cli.StringFlag{Name: "rule", Usage: "start rules of that `NAME` alone"},
			&cli.StringFlag{Name: "outcome", Usage: "past events with a rule of that `OUTCOME`: rejected or parked"},
			&cli.StringFlag{Name: "since", Usage: "past events stored since `TIME`: how long ago (30m, 2h, 3d), or 2026-01-31T12:00:00Z"},
			&cli.StringFlag{Name: "until", Usage: "past events stored before `TIME`"},
			&cli.StringFlag{Name: "source", Usage: "past events of that `SOURCE`: github, gcs, slack, or a part of it such as acme/app"},
			&cli.StringFlag{Name: "type", Usage: "past events of that `TYPE`: as in on, github.push; or a CloudEvents type, or the beginning of one"},
			&cli.BoolFlag{Name: "dry-run", Usage: "start nothing; print the Workflows, and what the API server says of them"},
			&cli.StringFlag{Name: "id", Usage: "`ID` of this replay, a part of the names; the one of an earlier call repeats that call (default: a new one)"},
			outputFlag(),
		}, connectFlags()...),
		Action: replayEvents,
	}
}

func replayEvents(c *cli.Context) error {
	r, err := replayOf(c)
	if err != nil {
		return wrong(c, err)
	}
	return withBackend(c, func(b *backend) error {
		out := &replayWriter{w: c.App.Writer, json: c.String("output") == "json", dryRun: r.DryRun}
		err := b.Replay(c.Context, r, out.write)
		if errors.Is(err, client.ErrCut) || c.Err() != nil {
			err = fmt.Errorf("%w; what has been started is running: ask again with --id %s, and it is not started twice", err, r.ID)
		}
		if err == nil || out.decided() > 0 {
			out.finish(r.ID, b.blind)
		}
		if err := errors.Join(err, out.err); err != nil {
			return err
		}
		if out.started == 0 && !b.blind {
			return cli.Exit("", exitNothing)
		}
		return nil
	})
}

// replayOf reads arguments and flags.
func replayOf(c *cli.Context) (bridge.Replay, error) {
	q, err := queryOf(c, now())
	r := bridge.Replay{
		ID: c.String("id"), Event: c.Args().First(), Template: q.Template, Rule: q.Rule, DryRun: c.Bool("dry-run"), Query: q,
	}
	if r.Event != "" {
		// They say which of the event's rules, not which events.
		r.Query.Template, r.Query.Rule = "", ""
	}
	if r.ID == "" {
		r.ID = admin.NewReplayID()
	}
	errs := []error{err, checkOutput(c)}
	if c.NArg() > 1 {
		errs = append(errs, fmt.Errorf("%q: name one event", c.Args().Get(1)))
	}
	if r.DryRun && c.String("bus") != "" {
		errs = append(errs, errors.New("a dry run asks the API server, which is not on the bus: leave out --bus or --dry-run"))
	}
	if err == nil {
		errs = append(errs, admin.CheckReplay(r))
	}
	return r, errors.Join(errs...)
}

// A replayWriter prints decisions as they come, and counts them.
type replayWriter struct {
	w                     io.Writer
	json, dryRun          bool
	started, refused, not int
	err                   error
}

func (w *replayWriter) write(r bridge.Replayed) {
	switch {
	case r.Refused != "":
		w.refused++
	case r.Verdict == bridge.Matched || r.Verdict == bridge.Waiting:
		w.started++
	default:
		w.not++
	}
	if w.err != nil {
		return
	}
	if w.json {
		w.err = writeLine(w.w, r)
		return
	}
	w.err = writeReplayed(w.w, r, w.dryRun)
}

func (w *replayWriter) decided() int { return w.started + w.refused + w.not }

// finish sums up, for people.
func (w *replayWriter) finish(id string, blind bool) {
	switch {
	case w.err != nil || w.json:
	case blind:
		_, w.err = fmt.Fprintf(w.w, "replay %s: asked for; a bridge on that bus carries it out, and events show has what it decides\n", id)
	case w.dryRun:
		_, w.err = fmt.Fprintf(w.w, "dry run: %d would start, %d refused, %d not; nothing was made\n", w.started, w.refused, w.not)
	default:
		_, w.err = fmt.Fprintf(w.w, "replay %s: %d started, %d not\n", id, w.started, w.refused+w.not)
	}
}
