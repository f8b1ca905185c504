package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/setup"
)

func slackCheckCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "find what the Slack app lacks",
		Description: "Compares the workspaces of a bridge's configuration file with what the rules of --template need, or those in the\n" +
			"cluster: tokens, scopes, channels and whether the app is in them, user groups, people. It changes nothing. Which\n" +
			"events and commands the app has Slack does not tell a bot: print the manifest, and compare.\n\n" +
			"   argo-bridge slack check --config config.yaml --template templates/\n\n" +
			"Exit code: 0 when nothing is found, 1 when something is, 2 when it cannot ask.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "config `FILE` of the bridge", TakesFile: true},
			outputFlag(),
		}, rulesFlags()...),
		Action: slackCheck,
	}
}

func slackCheck(c *cli.Context) error {
	config, err := slackSection(c)
	if err == nil && !c.IsSet("config") {
		err = errors.New("name a --config with the section slack")
	}
	if err := errors.Join(noArguments(c), checkOutput(c), err); err != nil {
		return wrongSlack(c, err)
	}
	if err := config.Validate(); err != nil {
		return wrongSlack(c, err)
	}
	secrets, err := config.Load(os.Getenv)
	if err != nil {
		return wrongSlack(c, err)
	}
	needs, err := slackNeeds(c, config)
	if err != nil {
		return wrongSlack(c, err)
	}
	answer, err := setup.Check(c.Context, setup.Question{
		Workspaces: slack.NewWorkspaces(secrets, slack.WorkspaceOptions{APIURL: config.APIURL}), Config: config, Needs: needs,
		AppToken: secrets.App, APIURL: config.APIURL,
	})
	if err != nil {
		return cli.Exit("slack check: "+err.Error(), 2)
	}
	if c.String("output") == "json" {
		err = writeJSON(c.App.Writer, answer)
	} else {
		err = writeSlackAnswer(c.App.Writer, answer)
	}
	if err == nil && len(answer.Findings) > 0 {
		return cli.Exit("", 1)
	}
	return err
}

// writeSlackAnswer writes each finding with what to do below it, and a line that sums up.
func writeSlackAnswer(w io.Writer, a setup.Answer) error {
	var b strings.Builder
	for _, f := range a.Findings {
		fmt.Fprintf(&b, "%s: %s\n    %s\n", f.Subject, plain(f.Problem), f.Remedy)
	}
	fmt.Fprintf(&b, "%s: %s, %s, %s\n", count(len(a.Findings), "finding"), count(len(a.Workspaces), "workspace"),
		count(len(a.Channels), "channel"), count(len(a.Groups), "user group"))
	_, err := io.WriteString(w, b.String())
	return err
}
