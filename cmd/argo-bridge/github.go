package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

func githubCommand() *cli.Command {
	return &cli.Command{
		Name:  "github",
		Usage: "make and check the GitHub App",
		Description: "docs/github.md leads from nothing to a check on a commit.\n\n" +
			"   argo-bridge github setup --organization acme --url https://bridge.example.com --secret argo-bridge-secrets\n" +
			"   argo-bridge github check --config config.yaml --template templates/",
		Subcommands: []*cli.Command{githubSetupCommand(), githubCheckCommand()},
		Action: func(c *cli.Context) error {
			if name := c.Args().First(); name != "" {
				return cli.Exit(fmt.Sprintf("github: there is no command %q: setup, check", name), 2)
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

// rulesFlags are where the rules are from whose needs count.
func rulesFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "template", Usage: "template `FILE` or folder, whose rules say what they need; may be given several times (default: the cluster's)", TakesFile: true},
		&cli.StringFlag{Name: "kubeconfig", Usage: "kubeconfig `FILE` (default: KUBECONFIG, ~/.kube/config)", TakesFile: true},
		&cli.StringFlag{Name: "context", Usage: "`NAME` of a context in the kubeconfig"},
		&cli.StringFlag{Name: "namespace", Aliases: []string{"n"}, EnvVars: []string{"ARGO_BRIDGE_NAMESPACE"}, Usage: "`NAMESPACE` of the bridge and its templates (default: the kubeconfig's)"},
		&cli.BoolFlag{Name: "cluster-wide", Usage: "the rules of all namespaces"},
	}
}

// wrongGitHub is a call that cannot hold: code 2.
func wrongGitHub(c *cli.Context, err error) error {
	return cli.Exit(fmt.Sprintf("github %s: %s (see --help)", c.Command.Name, strings.ReplaceAll(err.Error(), "\n", "\n  ")), 2)
}
