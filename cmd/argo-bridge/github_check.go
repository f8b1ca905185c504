package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/github/api"
	"github.com/argo-bridge/argo-bridge/adapters/github/setup"
)

func githubCheckCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "find what the GitHub App lacks",
		Description: "Compares the App of a bridge's configuration file with what the rules of --template need, or those in the\n" +
			"cluster: permissions, events, webhook, installations, repositories, deliveries that failed. It changes nothing.\n\n" +
			"   argo-bridge github check --config config.yaml --template templates/\n\n" +
			"Exit code: 0 when nothing is found, 1 when something is, 2 when it cannot ask.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "config `FILE` of the bridge", TakesFile: true},
			&cli.Int64Flag{Name: "app-id", Usage: "`ID` of the App (default: the config's)"},
			&cli.StringFlag{Name: "private-key-file", Usage: "`FILE` of the App's private key (default: the config's)", TakesFile: true},
			&cli.StringFlag{Name: "github-url", Usage: "`URL` of a GitHub Enterprise Server (default: the config's)"},
			&cli.StringFlag{Name: "url", Usage: "public `URL` of the bridge, where the webhook must go"},
			outputFlag(),
		}, rulesFlags()...),
		Action: githubCheck,
	}
}

func githubCheck(c *cli.Context) error {
	section, err := githubSection(c)
	if err := errors.Join(noArguments(c), checkOutput(c), err); err != nil {
		return wrongGitHub(c, err)
	}
	needs, _, found, err := githubNeeds(c)
	if err != nil {
		return wrongGitHub(c, err)
	}
	if !found {
		_, _ = fmt.Fprintln(c.App.ErrWriter, "argo-bridge: no rule is about GitHub; what a first pull request needs is looked for")
		needs = setup.Base()
	}
	needs.Trust(section.Trust.Rule().Teams, "the config's trust")
	key, err := section.LoadKey(os.Getenv)
	if err != nil {
		return wrongGitHub(c, err)
	}
	a, err := api.New(api.Options{AppID: section.App.ID, Key: key, BaseURL: section.BaseURL})
	if err != nil {
		return wrongGitHub(c, err)
	}
	answer, err := setup.Check(c.Context, setup.Question{
		Client: a.JWT(), Needs: needs, URL: c.String("url"), Slug: section.App.Slug, GitHubURL: section.BaseURL, Now: time.Now,
	})
	if err != nil {
		return cli.Exit("github check: "+err.Error(), 2)
	}
	if c.String("output") == "json" {
		err = writeJSON(c.App.Writer, answer)
	} else {
		err = writeAppAnswer(c.App.Writer, answer)
	}
	if err == nil && len(answer.Findings) > 0 {
		return cli.Exit("", 1)
	}
	return err
}

// githubSection is that of the config file, with what flags say instead. It has an App.
func githubSection(c *cli.Context) (github.Config, error) {
	var section github.Config
	if c.IsSet("config") {
		o, err := readOptions(c)
		if err != nil {
			return section, err
		}
		if o.GitHub == nil {
			return section, fmt.Errorf("config %s: there is no section github", c.String("config"))
		}
		section = *o.GitHub
	}
	app := github.AppConfig{}
	if section.App != nil {
		app = *section.App
	}
	app.ID = cmp.Or(c.Int64("app-id"), app.ID)
	if path := c.String("private-key-file"); path != "" {
		app.PrivateKeyFile, app.PrivateKeyEnv = path, ""
	}
	section.App, section.BaseURL = &app, cmp.Or(c.String("github-url"), section.BaseURL)
	if app.ID == 0 || app.PrivateKeyFile+app.PrivateKeyEnv == "" {
		return section, errors.New("name a --config with github.app, or --app-id and --private-key-file")
	}
	return section, nil
}

// writeAppAnswer writes each finding with what to do below it, and a line that sums up.
func writeAppAnswer(w io.Writer, a setup.Answer) error {
	var b strings.Builder
	for _, f := range a.Findings {
		fmt.Fprintf(&b, "%s: %s\n    %s\n", f.Subject, plain(f.Problem), f.Remedy)
	}
	fmt.Fprintf(&b, "%s: App %s, %s, %s that rules name\n", count(len(a.Findings), "finding"), a.App,
		count(len(a.Installations), "installation"), countRepositories(len(a.Repositories)))
	_, err := io.WriteString(w, b.String())
	return err
}

func countRepositories(n int) string {
	if n == 1 {
		return "1 repository"
	}
	return fmt.Sprintf("%d repositories", n)
}
