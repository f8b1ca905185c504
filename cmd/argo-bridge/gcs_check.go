package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
	"github.com/argo-bridge/argo-bridge/adapters/gcs/setup"
)

func gcsCheckCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "find what keeps a bucket's notifications from the bridge",
		Description: "Looks at the subscriptions of a bridge's configuration file or of --subscription, and at the buckets that the\n" +
			"rules of --template name or that --bucket does. It changes nothing.\n\n" +
			"   argo-bridge gcs check --config config.yaml --template templates/ --bucket landing-prod\n\n" +
			"Exit code: 0 when nothing is found, 1 when something is, 2 when it cannot ask.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "config `FILE` of the bridge", TakesFile: true},
			&cli.StringSliceFlag{Name: "subscription", Usage: "`NAME` of a subscription, projects/P/subscriptions/S, or S in --project; may be given several times"},
			&cli.StringSliceFlag{Name: "bucket", Usage: "`NAME` of a bucket; may be given several times"},
			&cli.StringSliceFlag{Name: "template", Usage: "template `FILE` or folder, whose rules say which events they need; may be given several times", TakesFile: true},
			&cli.StringFlag{Name: "service-account", Usage: "`EMAIL` of the bridge's service account (default: this command's own account is asked what it may)"},
			&cli.StringFlag{Name: "project", Usage: "`ID` of the project that holds topic and subscription (default: as the subscription says)"},
			&cli.StringFlag{Name: "bucket-project", Usage: "`ID` of the buckets' project (default: --project)"},
			credentialsFlag(), outputFlag(),
		},
		Action: gcsCheck,
	}
}

func gcsCheck(c *cli.Context) error {
	q, credentials, err := questionOf(c)
	if err := errors.Join(noArguments(c), checkOutput(c), err); err != nil {
		return wrongGCS(c, err)
	}
	cloud, err := setup.Connect(c.Context, credentials)
	if err != nil {
		return cli.Exit("gcs check: "+err.Error(), 2)
	}
	defer func() { _ = cloud.Close() }()
	answer, err := setup.Check(c.Context, cloud, q)
	if err != nil {
		return cli.Exit("gcs check: "+err.Error(), 2)
	}
	if c.String("output") == "json" {
		err = writeJSON(c.App.Writer, answer)
	} else {
		err = writeAnswer(c.App.Writer, answer)
	}
	if err == nil && len(answer.Findings) > 0 {
		return cli.Exit("", 1)
	}
	return err
}

// questionOf reads flags, config and templates; credentials is the file to connect with, "" for the environment's own.
func questionOf(c *cli.Context) (q setup.Question, credentials string, err error) {
	q = setup.Question{
		Buckets: c.StringSlice("bucket"), ServiceAccount: c.String("service-account"),
		Project: c.String("project"), BucketProject: c.String("bucket-project"),
	}
	config, err := gcsSection(c)
	if err != nil {
		return q, "", err
	}
	q.Pulled, q.Push, credentials = config.Subscriptions, config.Push, config.CredentialsFile
	if c.IsSet("credentials-file") {
		credentials = c.String("credentials-file")
	}
	q.Subscriptions = append(q.Subscriptions, config.Subscriptions...)
	for _, s := range c.StringSlice("subscription") {
		if !strings.HasPrefix(s, "projects/") {
			s = "projects/" + q.Project + "/subscriptions/" + s
		}
		q.Subscriptions = append(q.Subscriptions, s)
	}
	if err := (gcs.Config{Subscriptions: q.Subscriptions}).Validate(); err != nil && len(q.Subscriptions) > 0 {
		return q, "", err
	}
	if paths := c.StringSlice("template"); len(paths) > 0 {
		if q.Needs, err = needs(paths, c.App.Reader); err != nil {
			return q, "", err
		}
	}
	if len(q.Subscriptions) == 0 {
		return q, "", errors.New("name a --config or a --subscription")
	}
	return q, credentials, nil
}

// gcsSection is that of the config file; empty without a file.
func gcsSection(c *cli.Context) (gcs.Config, error) {
	if !c.IsSet("config") {
		return gcs.Config{}, nil
	}
	o, err := readOptions(c)
	if err != nil {
		return gcs.Config{}, err
	}
	if o.GCS == nil {
		return gcs.Config{}, fmt.Errorf("config %s: there is no section gcs", c.String("config"))
	}
	return *o.GCS, nil
}

// writeAnswer writes each finding with what to do below it, and a line that sums up.
func writeAnswer(w io.Writer, a setup.Answer) error {
	var b strings.Builder
	for _, f := range a.Findings {
		fmt.Fprintf(&b, "%s: %s\n    %s\n", f.Subject, f.Problem, f.Remedy)
	}
	for _, u := range a.Unchecked {
		fmt.Fprintf(&b, "not checked: %s\n", u)
	}
	fmt.Fprintf(&b, "%s in %s and %s\n", count(len(a.Findings), "finding"), count(len(a.Subscriptions), "subscription"), count(len(a.Buckets), "bucket"))
	_, err := io.WriteString(w, b.String())
	return err
}
