package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// A demo is one telling of the story.
type demo struct {
	settings settings
	screen   *screen
	journal  *journal

	cluster *cluster
	google  *googleCloud
	slack   *workspace
	forge   *forge
	bridge  *bridge

	stops []func() error // what was started, to be stopped last in, first out
}

func newDemo(s settings, screen *screen) *demo {
	return &demo{settings: s, screen: screen, journal: newJournal()}
}

// run starts the parts, tells the story and stops what it started, whatever happens.
func (d *demo) run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := os.MkdirAll(d.settings.dir, 0o700); err != nil {
		return err
	}
	unlock, err := lock(d.settings)
	if err != nil {
		return err
	}
	d.stops = append(d.stops, unlock)
	if err := d.start(ctx); err != nil {
		return err
	}
	rows, err := d.tell(ctx)
	if err != nil {
		return err
	}
	d.screen.summary(rows)
	d.screen.further(d.settings, d.bridge.url)
	if d.settings.keep {
		d.screen.line("Everything keeps running. Ctrl-C stops it.")
		<-ctx.Done()
	}
	return nil
}

// start starts the parts in the order in which they need one another.
func (d *demo) start(ctx context.Context) error {
	d.screen.title("argo-bridge: from an event to a Workflow to a message, on this machine alone")
	for _, part := range []struct {
		name  string
		start func(ctx context.Context) (says string, err error)
	}{
		{"Kubernetes and Argo Workflows", d.startCluster},
		{"workflowtemplates/examples", d.applyExamples},
		{"Google Cloud, Slack, GitHub", d.startServices},
		{"argo-bridge serve", d.startBridge},
	} {
		began := time.Now()
		says, err := part.start(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		d.screen.started(part.name, time.Since(began), says)
	}
	return nil
}

func (d *demo) startCluster(ctx context.Context) (says string, err error) {
	if d.cluster, err = startCluster(ctx, d.settings); err != nil {
		return "", err
	}
	d.stops = append(d.stops, func() error { d.cluster.stop(); return nil })
	says = "kubeconfig " + short(d.cluster.kubeconfig)
	if d.cluster.reused {
		says += ", running already"
		err = d.cluster.forgetWorkflows(ctx)
	}
	return says, err
}

func (d *demo) applyExamples(ctx context.Context) (says string, err error) {
	templates, err := exampleObjects()
	if err != nil {
		return "", err
	}
	own, err := bridgeObjects(d.settings.root)
	if err != nil {
		return "", err
	}
	if err := d.cluster.apply(ctx, slices.Concat(own, templates)); err != nil {
		return "", err
	}
	watch, err := watchWorkflows(ctx, d.cluster.dynamic, d.journal)
	if err != nil {
		return "", err
	}
	d.stops = append(d.stops, func() error { watch.stop(); return nil })
	return "applied; one of the files to come will not load, on purpose", nil
}

func (d *demo) startServices(ctx context.Context) (says string, err error) {
	if d.google, err = startGoogleCloud(ctx); err != nil {
		return "", err
	}
	d.stops = append(d.stops, func() error { d.google.stop(); return nil })
	if d.slack, err = startWorkspace(); err != nil {
		return "", err
	}
	d.stops = append(d.stops, func() error { d.slack.server.Close(); return nil })
	if d.forge, err = startForge(); err != nil {
		return "", err
	}
	d.stops = append(d.stops, func() error { d.forge.Close(); return nil })
	return "fake-gcs-server, Google's pstest, slacktest, githubtest", nil
}

func (d *demo) startBridge(ctx context.Context) (says string, err error) {
	if d.bridge, err = startBridge(ctx, d.settings, d.cluster, d.slack, d.forge, d.journal); err != nil {
		return "", err
	}
	d.stops = append(d.stops, d.stopBridge)
	return d.bridge.url + ", log " + short(d.bridge.log.Name()), nil
}

func (d *demo) stopBridge() error {
	if err := d.bridge.stop(); err != nil {
		return fmt.Errorf("argo-bridge did not end as it should: %w (log %s)", err, short(d.bridge.log.Name()))
	}
	return nil
}

// stop stops everything that was started, last in, first out.
func (d *demo) stop() error {
	var errs []error
	for _, stop := range slices.Backward(d.stops) {
		errs = append(errs, stop())
	}
	d.stops = nil
	return errors.Join(errs...)
}
