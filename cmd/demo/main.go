// Command demo tells argo-bridge's story on this machine alone, with real parts: a real Kubernetes API and
// a real Argo Workflows (bin/local-cluster), the real bridge as a process of its own with the rights of its
// own Role, and the real clients of Cloud Storage, GitHub and Slack that users have.
//
// Three parts are stand-ins, because the real ones are services: Cloud Storage is fake-gcs-server, Pub/Sub is
// Google's own pstest, Slack's Web API is the project's slacktest. Pods do not run containers; the local cluster's
// pod runner lets each one end as the demo's copy of the example says.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == guardCommand {
		os.Exit(guard(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	s, err := readSettings(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = newDemo(s, newScreen(os.Stdout, os.Getenv)).run(ctx)
	}
	switch {
	case err == nil:
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "demo: interrupted; everything is stopped")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "demo: "+err.Error())
		os.Exit(1)
	}
}
