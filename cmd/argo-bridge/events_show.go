package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func showCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show one event: what it is, what each rule decided and by which value, the runs, the messages",
		ArgsUsage: "ID",
		Description: "ID is the event's id or its hash, as list prints it; on a Workflow they are the annotation\n" +
			"bridge.argoproj.io/event-id and the label bridge.argoproj.io/event.\n\n" +
			"   argo-bridge events show -n argo 72d3162e-cc78-11e3-81ab-4c9367dc0958\n\n" +
			"Exit code: 0, or 1 when nothing is known of the event.",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "payload", Usage: "print the whole payload"}, outputFlag(),
		}, connectFlags()...),
		Action: showEvent,
	}
}

func showEvent(c *cli.Context) error {
	err := checkOutput(c)
	if c.NArg() != 1 {
		err = errors.Join(errors.New("name one event, by its id or hash: list has them"), err)
	}
	if err != nil {
		return wrong(c, err)
	}
	return withBackend(c, func(b *backend) error {
		story, err := b.Story(c.Context, c.Args().First())
		if errors.Is(err, bridge.ErrUnknownEvent) {
			return cli.Exit(c.Args().First()+": "+bridge.ErrUnknownEvent.Error(), 1)
		}
		if err != nil {
			return err
		}
		if c.String("output") == "json" {
			return writeJSON(c.App.Writer, story)
		}
		return writeStory(c.App.Writer, story, c.Bool("payload"))
	})
}
