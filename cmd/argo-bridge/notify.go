package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func notifyCommand() *cli.Command {
	return &cli.Command{
		Name:  "notify",
		Usage: "see what a template's notifications look like",
		Description: "Works offline, on files.\n\n" +
			"   argo-bridge notify preview --template load.yaml --workflow failed.yaml",
		Subcommands: []*cli.Command{previewCommand()},
		Action: func(c *cli.Context) error {
			if name := c.Args().First(); name != "" {
				return cli.Exit(fmt.Sprintf("notify: there is no command %q: preview", name), 2)
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

func previewCommand() *cli.Command {
	var names []string
	for _, o := range bridge.Outcomes {
		names = append(names, string(o))
	}
	return &cli.Command{
		Name:  "preview",
		Usage: "show what a template's notify and message annotations would send for a Workflow",
		Description: "WORKFLOW is a Workflow in YAML or JSON, as kubectl get workflow NAME -o yaml prints it. Nothing is\n" +
			"sent, and no cluster is asked: logs, and variables of the event that started it, are not there.\n\n" +
			"   argo-bridge notify preview --template load.yaml --workflow failed.yaml\n" +
			"   argo-bridge notify preview --template load.yaml --workflow failed.yaml --format png --output alert.png\n" +
			"   argo-bridge notify preview --template load.yaml --workflow failed.yaml --layout messages.yaml --format json\n\n" +
			"What --format json prints is what Slack's Block Kit Builder takes, with the attachment below the blocks.\n" +
			"Exit code: 0 when something would be sent, 1 when nothing would, 2 on faults.",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "template", Usage: "template `FILE` or folder; may be given several times", TakesFile: true},
			&cli.StringFlag{Name: "workflow", Usage: "`FILE` with the Workflow, - for standard input", TakesFile: true},
			&cli.StringFlag{Name: "outcome", Usage: "`OUTCOME`: " + strings.Join(names, ", ") + " (default: how the Workflow stands)"},
			&cli.StringFlag{Name: "destination", Usage: "only this `DESTINATION` of the annotation: slack:#data-alerts (default: all)"},
			&cli.StringSliceFlag{Name: "layout", Usage: "`FILE` with the ConfigMap that slack: {blocks: NAME/KEY} names; may be given several times", TakesFile: true},
			&cli.StringFlag{Name: "ui", Usage: "`URL` of the Argo UI, for links"},
			&cli.StringFlag{Name: "format", Value: "text", Usage: "`FORMAT`: text, json, html or png"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE` to write to (default: standard output)", TakesFile: true},
		},
		Action: preview,
	}
}
