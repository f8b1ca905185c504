package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

func gcsCommand() *cli.Command {
	return &cli.Command{
		Name:  "gcs",
		Usage: "set up and check the notifications of Cloud Storage buckets",
		Description: "Uses the credentials of the environment (gcloud auth application-default login), or --credentials-file.\n" +
			"docs/gcs.md leads from a bucket to a started Workflow.\n\n" +
			"   argo-bridge gcs setup --bucket landing-prod --project acme --service-account argo-bridge@acme.iam.gserviceaccount.com\n" +
			"   argo-bridge gcs check --config config.yaml --template templates/",
		Subcommands: []*cli.Command{gcsSetupCommand(), gcsCheckCommand()},
		Action: func(c *cli.Context) error {
			if name := c.Args().First(); name != "" {
				return cli.Exit(fmt.Sprintf("gcs: there is no command %q: setup, check", name), 2)
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

func credentialsFlag() cli.Flag {
	return &cli.StringFlag{Name: "credentials-file", TakesFile: true,
		Usage: "`FILE` of a service account key or of workload identity federation (default: the environment's own credentials)"}
}

// wrongGCS is a call that cannot hold: code 2.
func wrongGCS(c *cli.Context, err error) error {
	return cli.Exit(fmt.Sprintf("gcs %s: %s (see --help)", c.Command.Name, strings.ReplaceAll(err.Error(), "\n", "\n  ")), 2)
}

// noArguments refuses what is left beside the flags.
func noArguments(c *cli.Context) error {
	if c.NArg() > 0 {
		return fmt.Errorf("%q is no flag", c.Args().First())
	}
	return nil
}
