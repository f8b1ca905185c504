package main

import (
	"errors"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/adapters/slack/setup"
)

func slackManifestCommand() *cli.Command {
	return &cli.Command{
		Name:  "manifest",
		Usage: "print the manifest of the Slack app",
		Description: "Prints what Slack makes an app of, with the scopes, events and slash commands that the rules of --template use, or\n" +
			"those in the cluster: paste it at https://api.slack.com/apps, Create New App, From a manifest.\n\n" +
			"   argo-bridge slack manifest --url https://bridge.example.com --template templates/\n" +
			"   argo-bridge slack manifest --socket",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "url", Usage: "public `URL` of the bridge: https://bridge.example.com"},
			&cli.BoolFlag{Name: "socket", Usage: "Slack cannot reach the bridge: Socket Mode (default: as the config says)"},
			&cli.StringFlag{Name: "name", Usage: "`NAME` of the app (default: argo-bridge)"},
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "config `FILE` of the bridge", TakesFile: true},
			outputFlag(),
		}, rulesFlags()...),
		Action: slackManifest,
	}
}

func slackManifest(c *cli.Context) error {
	config, err := slackSection(c)
	if err := errors.Join(noArguments(c), checkOutput(c), err); err != nil {
		return wrongSlack(c, err)
	}
	needs, err := slackNeeds(c, config)
	if err != nil {
		return wrongSlack(c, err)
	}
	w := setup.Wanted{
		Name: c.String("name"), URL: c.String("url"), Needs: needs, Command: config.OwnCommand(),
		Socket: c.Bool("socket") || config.Socket() && !c.IsSet("url"),
	}.Defaults()
	if err := w.Validate(); err != nil {
		return wrongSlack(c, err)
	}
	if c.String("output") == "json" {
		return writeJSON(c.App.Writer, w.Manifest())
	}
	e := yaml.NewEncoder(c.App.Writer)
	e.SetIndent(2)
	return e.Encode(w.Manifest())
}
