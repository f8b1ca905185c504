package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/admin"
	"github.com/argo-bridge/argo-bridge/bridge/silences"
)

func silencesCommand() *cli.Command {
	return &cli.Command{
		Name:  "silences",
		Usage: "keep alerts quiet for a time",
		Description: "A silence keeps the alerts of a template, of a destination, or of both quiet. What fails meanwhile is\n" +
			"counted, and told in one message when it ends, unless it has been made good. Asks the bridge as\n" +
			"argo-bridge events does; to silence wants the right to create silences.bridge.argoproj.io.\n\n" +
			"   argo-bridge silences add -n argo --template argo/nightly --for 2h --reason \"known, see #4711\"\n" +
			"   argo-bridge silences list -n argo\n" +
			"   argo-bridge silences remove -n argo 3f9a1c07",
		Subcommands: []*cli.Command{addSilenceCommand(), listSilencesCommand(), removeSilenceCommand()},
		Action: func(c *cli.Context) error {
			if name := c.Args().First(); name != "" {
				return cli.Exit(fmt.Sprintf("silences: there is no command %q: add, list, remove", name), 2)
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

func addSilenceCommand() *cli.Command {
	return &cli.Command{
		Name:  "add",
		Usage: "silence a template, or a destination; prints the silence's id",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "template", Usage: "alerts of the `TEMPLATE`: namespace/name, or the name of a ClusterWorkflowTemplate"},
			&cli.StringFlag{Name: "destination", Usage: "alerts to the `DESTINATION` as notify names it: slack:#data-alerts"},
			&cli.DurationFlag{Name: "for", Usage: "how `LONG`, such as 30m or 2h", Value: time.Hour},
			&cli.StringFlag{Name: "reason", Usage: "`WHY`, for the others"},
		}, connectFlags()...),
		Action: func(c *cli.Context) error {
			s, err := silenceOf(c, time.Now())
			if err != nil {
				return wrongSilences(c, err)
			}
			return withBackend(c, func(b *backend) error {
				if err := b.silences.Add(c.Context, s); err != nil {
					return err
				}
				_, err := fmt.Fprintf(c.App.Writer, "%s\nsilent until %s; argo-bridge silences remove %s ends it\n", s.ID, s.Until.Format(time.RFC3339), s.ID)
				return err
			})
		},
	}
}

func silenceOf(c *cli.Context, now time.Time) (bridge.Silence, error) {
	s := bridge.Silence{
		ID: admin.NewReplayID(), Template: c.String("template"), Destination: c.String("destination"),
		Until: now.Add(c.Duration("for")).UTC().Truncate(time.Second), Reason: c.String("reason"), Created: now.UTC(),
	}
	switch {
	case c.NArg() > 0:
		return s, fmt.Errorf("%q is too much: everything is said by flags", c.Args().First())
	case s.Template == "" && s.Destination == "":
		return s, errors.New("what is to be silent? name a --template, a --destination, or both")
	case s.Destination != "" && !strings.Contains(s.Destination, ":"):
		return s, fmt.Errorf("--destination: %q is none; write slack:#channel", s.Destination)
	}
	return s, silences.Check(s, now)
}

func listSilencesCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the silences that have not ended",
		Flags: append([]cli.Flag{outputFlag()}, connectFlags()...),
		Action: func(c *cli.Context) error {
			return withBackend(c, func(b *backend) error {
				all, err := b.silences.List(c.Context)
				if err != nil {
					return err
				}
				return writeSilences(c, all)
			})
		},
	}
}

func writeSilences(c *cli.Context, all []bridge.Silence) error {
	if c.String("output") == "json" {
		for _, s := range all {
			if err := json.NewEncoder(c.App.Writer).Encode(s); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(c.App.Writer, "nothing is silenced")
		return err
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tTEMPLATE\tDESTINATION\tUNTIL\tBY\tREASON")
	for _, s := range all {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, plain(orAll(s.Template)), plain(orAll(s.Destination)), s.Until.Format(time.RFC3339), plain(s.By), plain(s.Reason))
	}
	return w.Flush()
}

func orAll(s string) string {
	if s == "" {
		return "all"
	}
	return s
}

func removeSilenceCommand() *cli.Command {
	return &cli.Command{
		Name:      "remove",
		Usage:     "end a silence",
		ArgsUsage: "ID",
		Flags:     connectFlags(),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return wrongSilences(c, errors.New("which one? name its id, as list shows it"))
			}
			return withBackend(c, func(b *backend) error { return b.silences.Remove(c.Context, c.Args().First()) })
		},
	}
}

// wrongSilences is a call that cannot hold: code 2.
func wrongSilences(c *cli.Context, err error) error {
	return cli.Exit(fmt.Sprintf("silences %s: %v (see --help)", c.Command.Name, err), 2)
}
