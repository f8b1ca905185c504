package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

func slackCommand() *cli.Command {
	return &cli.Command{
		Name:  "slack",
		Usage: "make and check the Slack app",
		Description: "docs/slack.md leads from nothing to the first alert.\n\n" +
			"   argo-bridge slack manifest --url https://bridge.example.com\n" +
			"   argo-bridge slack check --config config.yaml --template templates/",
		Subcommands: []*cli.Command{slackManifestCommand(), slackCheckCommand()},
		Action: func(c *cli.Context) error {
			if name := c.Args().First(); name != "" {
				return cli.Exit(fmt.Sprintf("slack: there is no command %q: manifest, check", name), 2)
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

// wrongSlack is a call that cannot hold: code 2.
func wrongSlack(c *cli.Context, err error) error {
	return cli.Exit(fmt.Sprintf("slack %s: %s (see --help)", c.Command.Name, strings.ReplaceAll(err.Error(), "\n", "\n  ")), 2)
}
