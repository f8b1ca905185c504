package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/admin"
)

func eventsCommand() *cli.Command {
	return &cli.Command{
		Name:  "events",
		Usage: "list, show, follow and replay the events of a running bridge",
		Description: "Asks the bridge in the namespace --namespace, to which it makes a way by the kubeconfig, as kubectl\n" +
			"port-forward does; or the one at --server; or, with --bus, the bus itself. The bridge wants a\n" +
			"token of somebody who may get (to read) or create (to replay) events.bridge.argoproj.io in its\n" +
			"namespace: docs/events.md says how to grant that. The kubeconfig's own token is taken where\n" +
			"none is given.\n\n" +
			"   argo-bridge events list -n argo --since 2h\n" +
			"   argo-bridge events show -n argo 72d3162e-cc78-11e3-81ab-4c9367dc0958\n" +
			"   argo-bridge events replay -n argo --outcome rejected --since 1d --dry-run",
		Subcommands: []*cli.Command{listCommand(), showCommand(), tailCommand(), replayCommand()},
		Action: func(c *cli.Context) error {
			if name := c.Args().First(); name != "" {
				return cli.Exit(fmt.Sprintf("events: there is no command %q: list, show, tail, replay", name), 2)
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

// queryFlags select events.
func queryFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "source", Usage: "`SOURCE` of the events: github, gcs, slack, or a part of it such as acme/app"},
		&cli.StringFlag{Name: "type", Usage: "`TYPE` of the events: as in on, github.push; or a CloudEvents type, or the beginning of one"},
		&cli.StringFlag{Name: "template", Usage: "that met the `TEMPLATE`, a name or namespace/name"},
		&cli.StringFlag{Name: "rule", Usage: "that met a rule of that `NAME`"},
		&cli.StringFlag{Name: "outcome", Usage: "with an `OUTCOME`: matched, filtered, skipped, rejected, parked, waiting or fault"},
		&cli.StringFlag{Name: "since", Usage: "stored since `TIME`: how long ago (30m, 2h, 3d), or 2026-01-31T12:00:00Z"},
		&cli.StringFlag{Name: "until", Usage: "stored before `TIME`"},
	}
}

// queryOf reads the flags of queryFlags.
func queryOf(c *cli.Context, now time.Time) (bridge.Query, error) {
	q := bridge.Query{Source: c.String("source"), Type: c.String("type"), Template: c.String("template"), Rule: c.String("rule")}
	var errs []error
	read := func(flag string, set func(text string) error) {
		if !c.IsSet(flag) {
			return
		}
		if err := set(c.String(flag)); err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", flag, err))
		}
	}
	read("outcome", func(text string) (err error) { q.Outcome, err = admin.ParseOutcome(text); return err })
	read("since", func(text string) (err error) { q.Since, err = admin.ParseTime(text, now); return err })
	read("until", func(text string) (err error) { q.Until, err = admin.ParseTime(text, now); return err })
	return q, errors.Join(errs...)
}

// withBackend runs do on what the flags name, and closes it.
func withBackend(c *cli.Context, do func(b *backend) error) (err error) {
	b, err := connect(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	return do(b)
}

// wrong is a call that cannot hold: code 2.
func wrong(c *cli.Context, err error) error {
	return cli.Exit(fmt.Sprintf("events %s: %s (see --help)", c.Command.Name, err), 2)
}
