package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/adapters/gcs/setup"
)

func gcsSetupCommand() *cli.Command {
	return &cli.Command{
		Name:  "setup",
		Usage: "bring a bucket's notifications to the bridge",
		Description: "Creates the topic, a topic that keeps dead letters, the subscription, the grants and the bucket's notification\n" +
			"configuration. It may be asked again: it says what is there, changes what differs, and deletes nothing. Several\n" +
			"buckets may share topic and subscription, as they do unless named.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "bucket", Usage: "`NAME` of the bucket"},
			&cli.StringFlag{Name: "project", Usage: "`ID` of the project that holds topic and subscription"},
			&cli.StringFlag{Name: "bucket-project", Usage: "`ID` of the bucket's project (default: --project)"},
			&cli.StringFlag{Name: "project-number", Usage: "`NUMBER` of --project, where Cloud Storage does not tell it"},
			&cli.StringFlag{Name: "topic", Usage: "`NAME` of the topic (default: argo-bridge)"},
			&cli.StringFlag{Name: "dead-letter-topic", Usage: "`NAME` of the topic for what the bridge does not take (default: TOPIC-dead)"},
			&cli.StringFlag{Name: "subscription", Usage: "`NAME` of the subscription (default: argo-bridge; argo-bridge-push when it pushes)"},
			&cli.StringFlag{Name: "service-account", Usage: "`EMAIL` of the bridge's service account, which may then pull"},
			&cli.StringSliceFlag{Name: "event-type", Usage: "`TYPES`: finalized, deleted, archived, metadata-updated; several by commas (default: finalized)"},
			&cli.StringFlag{Name: "prefix", Usage: "only objects whose names begin with `TEXT`"},
			&cli.StringSliceFlag{Name: "attribute", Usage: "`KEY=VALUE` that is added to every notification; may be given several times"},
			&cli.StringFlag{Name: "push-endpoint", Usage: "`URL` that Pub/Sub pushes to: https://HOST/webhooks/gcs (default: the bridge pulls)"},
			&cli.StringFlag{Name: "push-service-account", Usage: "`EMAIL` of the service account that signs the push requests"},
			&cli.StringFlag{Name: "push-audience", Usage: "`TEXT` that the requests are signed for (default: the endpoint)"},
			&cli.BoolFlag{Name: "dry-run", Usage: "call nothing; print the gcloud commands that do the same"},
			credentialsFlag(),
		},
		Action: gcsSetup,
	}
}

func gcsSetup(c *cli.Context) error {
	w, err := wantedOf(c)
	if err := errors.Join(noArguments(c), err, w.Validate()); err != nil {
		return wrongGCS(c, err)
	}
	out := c.App.Writer
	if c.Bool("dry-run") {
		_, err := io.WriteString(out, setup.Script(w))
		return err
	}
	cloud, err := setup.Connect(c.Context, c.String("credentials-file"))
	if err != nil {
		return fmt.Errorf("gcs setup: %w", err)
	}
	defer func() { _ = cloud.Close() }()
	if err := setup.Apply(c.Context, cloud, w, func(r setup.Result) { writeStep(out, r) }); err != nil {
		return fmt.Errorf("gcs setup: %w", err)
	}
	_, err = fmt.Fprintf(out, "\nThe bridge's configuration:\n\n%s\nA WorkflowTemplate with the parameter path:\n\n%s", setup.Config(w), setup.Annotations(w))
	return err
}

func writeStep(w io.Writer, r setup.Result) {
	detail := ""
	if r.Detail != "" {
		detail = ": " + r.Detail
	}
	_, _ = fmt.Fprintf(w, "%-7s %s%s\n", r.State, r.Subject, detail)
}

func wantedOf(c *cli.Context) (setup.Wanted, error) {
	w := setup.Wanted{
		Bucket: strings.TrimPrefix(c.String("bucket"), "gs://"), Project: c.String("project"), BucketProject: c.String("bucket-project"),
		ProjectNumber: c.String("project-number"), Topic: c.String("topic"), DeadLetterTopic: c.String("dead-letter-topic"),
		Subscription: c.String("subscription"), ServiceAccount: c.String("service-account"), Prefix: c.String("prefix"),
		Attributes: map[string]string{},
	}
	for _, types := range c.StringSlice("event-type") {
		for t := range strings.SplitSeq(types, ",") {
			w.EventTypes = append(w.EventTypes, strings.TrimSpace(t))
		}
	}
	if c.IsSet("push-endpoint") || c.IsSet("push-service-account") || c.IsSet("push-audience") {
		w.Push = &setup.Push{
			Endpoint: c.String("push-endpoint"), ServiceAccount: c.String("push-service-account"), Audience: c.String("push-audience"),
		}
	}
	var errs []error
	for _, a := range c.StringSlice("attribute") {
		key, value, ok := strings.Cut(a, "=")
		if !ok {
			errs = append(errs, fmt.Errorf("--attribute: %q is not of the form KEY=VALUE", a))
		}
		w.Attributes[key] = value
	}
	return w.Defaults(), errors.Join(errs...)
}
