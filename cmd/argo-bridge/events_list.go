package main

import (
	"bufio"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func listCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list events, the one that changed last first",
		Description: "One line per event: when it was stored, its id (its hash where the id is long; show and replay\n" +
			"take both), and what became of it. All conditions must hold.\n\n" +
			"   argo-bridge events list -n argo --outcome rejected --since 1d\n" +
			"   argo-bridge events list -n argo --template ci -o json | jq -r .event\n\n" +
			"With -o json, each line is one record.",
		Flags: append(append(queryFlags(),
			&cli.IntFlag{Name: "limit", Value: 50, Usage: "at most `N` events; 0: all"}, outputFlag()), connectFlags()...),
		Action: listEvents,
	}
}

func listEvents(c *cli.Context) error {
	q, err := listQuery(c)
	if err != nil {
		return wrong(c, err)
	}
	// One more than is shown tells whether there are more.
	limit := q.Limit
	if limit > 0 {
		q.Limit++
	}
	return withBackend(c, func(b *backend) error {
		out := bufio.NewWriter(c.App.Writer)
		writer := newRecordWriter(out, c.String("output"))
		more := false
		err := b.Records(c.Context, q, func(r bridge.Record) bool {
			if more = limit > 0 && writer.count == limit; !more {
				writer.write(r)
			}
			return !more
		})
		writer.finish(more)
		return errors.Join(err, out.Flush())
	})
}

func listQuery(c *cli.Context) (bridge.Query, error) {
	q, err := queryOf(c, now())
	errs := []error{err, checkOutput(c)}
	if q.Limit = c.Int("limit"); q.Limit < 0 {
		errs = append(errs, fmt.Errorf("--limit %d: want 0 (all) or more", q.Limit))
	}
	if c.NArg() > 0 {
		errs = append(errs, fmt.Errorf("%q: list takes flags only; one event: events show ID", c.Args().First()))
	}
	return q, errors.Join(errs...)
}
