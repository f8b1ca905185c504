// Command argo-bridge starts WorkflowTemplates of Argo Workflows by events from GitHub, Google Cloud
// Storage and Slack, and tells people how the runs end.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // quiet hours name time zones, and an image may have none

	"github.com/urfave/cli/v2"
)

// version is set when a release is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := newApp().RunContext(ctx, arrange(os.Args))
	var exit cli.ExitCoder
	switch {
	case err == nil:
		return
	case errors.As(err, &exit):
		if text := exit.Error(); text != "" {
			fmt.Fprintln(os.Stderr, "argo-bridge: "+text)
		}
		os.Exit(exit.ExitCode())
	default:
		fmt.Fprintln(os.Stderr, "argo-bridge: "+err.Error())
		os.Exit(1)
	}
}

func newApp() *cli.App {
	a := &cli.App{
		Name:    "argo-bridge",
		Usage:   "start WorkflowTemplates by events, and hear how the runs end",
		Version: version,
		Description: "Which events start a template, how their fields become its parameters, and who hears of the end\n" +
			"stands in annotations on the WorkflowTemplate:\n\n" +
			"   bridge.argoproj.io/on: github.push\n" +
			"   bridge.argoproj.io/parameters: |\n" +
			"     sha: github.sha\n" +
			"   bridge.argoproj.io/notify: |\n" +
			"     failed: slack:#builds\n\n" +
			"Try annotations without a cluster by lint and explain, then serve beside argo-server.",
		EnableBashCompletion: true,
		HideVersion:          true,
		// A comma in a file's name is a comma.
		DisableSliceFlagSeparator: true,
		Commands: []*cli.Command{
			serveCommand(), lintCommand(), explainCommand(), eventsCommand(), silencesCommand(), notifyCommand(), gcsCommand(), githubCommand(), slackCommand(), versionCommand(), completionCommand(),
		},
		// The exit code is decided in main.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   usageError,
		CommandNotFound: func(c *cli.Context, name string) {
			_, _ = fmt.Fprintf(c.App.ErrWriter, "argo-bridge: there is no command %q (see argo-bridge --help)\n", name)
		},
	}
	for _, c := range a.Commands {
		c.OnUsageError = usageError
		for _, sub := range c.Subcommands {
			sub.OnUsageError = usageError
		}
	}
	return a
}

// usageError is a flag that does not exist or has no good value. Code 1 is for answers: lint found faults,
// explain no match.
func usageError(_ *cli.Context, err error, _ bool) error {
	return cli.Exit(err.Error()+" (see --help)", 2)
}
