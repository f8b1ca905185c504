package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func tailCommand() *cli.Command {
	return &cli.Command{
		Name:  "tail",
		Usage: "print events as they are settled, until Ctrl-C",
		Description: "One line per event once all its rules are decided; events that still wait for a turn are shown\n" +
			"with --outcome waiting. All conditions must hold.\n\n" +
			"   argo-bridge events tail -n argo --source github\n\n" +
			"With -o json, each line is one record.",
		Flags:  append(append(queryFlags(), outputFlag()), connectFlags()...),
		Action: tailEvents,
	}
}

func tailEvents(c *cli.Context) error {
	q, err := queryOf(c, now())
	errs := []error{err, checkOutput(c)}
	if c.NArg() > 0 {
		errs = append(errs, fmt.Errorf("%q: tail takes flags only", c.Args().First()))
	}
	if c.IsSet("since") || c.IsSet("until") {
		errs = append(errs, errors.New("tail begins now: the past is in events list"))
	}
	if err := errors.Join(errs...); err != nil {
		return wrong(c, err)
	}
	return withBackend(c, func(b *backend) error {
		var failed error
		err := b.Follow(c.Context, q, func(r bridge.Record) {
			if !r.Done && q.Outcome != bridge.Waiting || failed != nil {
				return
			}
			if c.String("output") == "json" {
				failed = writeLine(c.App.Writer, r)
			} else {
				_, failed = fmt.Fprintln(c.App.Writer, tailLine(r))
			}
		})
		if c.Err() != nil {
			err = nil // Ctrl-C is the way to end it
		}
		return errors.Join(err, failed)
	})
}
