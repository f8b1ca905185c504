package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/adapters/github/setup"
)

// setupTimeout is how long the page waits for somebody; GitHub's code holds for an hour.
const setupTimeout = time.Hour

func githubSetupCommand() *cli.Command {
	return &cli.Command{
		Name:  "setup",
		Usage: "make a GitHub App for the bridge",
		Description: "Opens a page on this machine that leads to GitHub, where one click makes the App with the permissions and events\n" +
			"that the rules need. Its private key and webhook secret then go to a Kubernetes Secret or to files, as\n" +
			"github-private-key and github-webhook-secret.\n\n" +
			"On another machine by SSH: --no-browser --port 8765, and ssh -L 8765:127.0.0.1:8765 from yours.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "organization", Usage: "`NAME` of the organization that will own the App (default: your own account)"},
			&cli.StringFlag{Name: "url", Usage: "public `URL` of the bridge: https://bridge.example.com"},
			&cli.StringFlag{Name: "name", Usage: "`NAME` of the App, unique on GitHub (default: argo-bridge-ORGANIZATION)"},
			&cli.StringFlag{Name: "github-url", Usage: "`URL` of a GitHub Enterprise Server"},
			&cli.StringFlag{Name: "secret", Usage: "`NAME` of the Kubernetes Secret to write to; what else it holds stays"},
			&cli.StringFlag{Name: "output-dir", Usage: "`FOLDER` to write the two files to", TakesFile: true},
			&cli.BoolFlag{Name: "force", Usage: "replace a key and a secret that are there"},
			&cli.BoolFlag{Name: "no-browser", Usage: "print the page's address and open nothing"},
			&cli.IntFlag{Name: "port", Usage: "`PORT` of the page on 127.0.0.1 (default: a free one)"},
			&cli.BoolFlag{Name: "dry-run", Usage: "call nothing on GitHub; print the manifest"},
		}, rulesFlags()...),
		Action: githubSetup,
	}
}

func githubSetup(c *cli.Context) error {
	w, from, err := wantedApp(c)
	if err := errors.Join(noArguments(c), w.Validate(), err); err != nil {
		return wrongGitHub(c, err)
	}
	out := c.App.Writer
	if c.Bool("dry-run") {
		return writeJSON(out, w.Manifest())
	}
	place, err := placeOf(c)
	if err != nil {
		return wrongGitHub(c, err)
	}
	// What stands in the way is told before there is an App.
	if err := place.ready(c.Context); err != nil {
		return fmt.Errorf("github setup: %w", err)
	}
	_, _ = fmt.Fprintf(out, "The App %s gets what %s.\n", w.Name, from)
	ctx, cancel := context.WithTimeout(c.Context, setupTimeout)
	defer cancel()
	flow := setup.Flow{Wanted: w, Port: c.Int("port"), Ready: func(page string) { showPage(out, page, !c.Bool("no-browser")) }}
	a, err := flow.Run(ctx)
	if err != nil {
		return fmt.Errorf("github setup: %w", err)
	}
	where, mounted, err := keep(c.Context, place, a)
	if err != nil {
		return fmt.Errorf("github setup: %w", err)
	}
	return writeMade(out, w, a, where, mounted)
}

func wantedApp(c *cli.Context) (w setup.Wanted, from string, err error) {
	w = setup.Wanted{Name: c.String("name"), Organization: c.String("organization"), URL: c.String("url"), GitHubURL: c.String("github-url")}
	needs, from, found, err := githubNeeds(c)
	if errors.Is(err, errNoRules) {
		err = nil
	}
	if !found {
		needs, from = setup.Base(), "a first pull request needs: no rule is about GitHub yet"
	}
	if found {
		from += " need"
	}
	w.Needs = needs
	return w.Defaults(), from, err
}

// showPage tells the address, and opens it where that works.
func showPage(out io.Writer, page string, open bool) {
	if open && openBrowser(page) == nil {
		_, _ = fmt.Fprintf(out, "Your browser opens %s\n", page)
		return
	}
	_, _ = fmt.Fprintf(out, "Open this address in a browser on this machine: %s\n", page)
}

func writeMade(out io.Writer, w setup.Wanted, a setup.App, where, mounted string) error {
	base := ""
	if w.GitHubURL != "" {
		base = "  baseURL: " + w.GitHubURL + "\n"
	}
	_, err := fmt.Fprintf(out, `
The App %s is made; its private key and webhook secret are in %s.

The bridge's configuration:

github:
%s  webhookSecretFiles: [%s/%s]
  app:
    id: %d
    privateKeyFile: %s/%s
    slug: %s

What is left to do:
  1. Install the App: %s
  2. Put the configuration into the bridge's config, and restart it.
  3. argo-bridge github check --config config.yaml
`, a.Slug, where, base, mounted, webhookSecretKey, a.ID, mounted, privateKeyKey, a.Slug, a.InstallURL())
	return err
}
