package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"
	"golang.org/x/term"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/adapters/slack/picture"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/announce"
	"github.com/argo-bridge/argo-bridge/bridge/app"
	"github.com/argo-bridge/argo-bridge/bridge/layout"
	"github.com/argo-bridge/argo-bridge/bridge/notify"
	"github.com/argo-bridge/argo-bridge/bridge/watch"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

func preview(c *cli.Context) error {
	wrong := func(err error) error {
		return cli.Exit("notify preview: "+strings.ReplaceAll(err.Error(), "\n", "\n  ")+" (see --help)", exitFaults)
	}
	if err := checkPreview(c); err != nil {
		return wrong(err)
	}
	all, err := previews(c)
	var none cli.ExitCoder
	switch {
	case errors.As(err, &none):
		return none
	case err != nil:
		return wrong(err)
	}
	var out bytes.Buffer
	if err := show(&out, all, c.String("format"), c.String("output") == "" && colours(c.App.Writer)); err != nil {
		return wrong(err)
	}
	if path := c.String("output"); path != "" {
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			return wrong(err)
		}
		return nil
	}
	_, err = c.App.Writer.Write(out.Bytes())
	return err
}

func checkPreview(c *cli.Context) error {
	var errs []error
	for _, flag := range []string{"template", "workflow"} {
		if !c.IsSet(flag) {
			errs = append(errs, fmt.Errorf("--%s is needed", flag))
		}
	}
	if f := c.String("format"); !slices.Contains([]string{"text", "json", "html", "png"}, f) {
		errs = append(errs, fmt.Errorf("--format %s: the formats are text, json, html and png", f))
	}
	if o := bridge.Outcome(c.String("outcome")); o != "" && !slices.Contains(bridge.Outcomes, o) {
		errs = append(errs, fmt.Errorf("--outcome %s: there is no such outcome", o))
	}
	if c.Args().Present() {
		errs = append(errs, fmt.Errorf("%q: everything is given by flags", c.Args().First()))
	}
	if c.String("format") == "png" && c.String("output") == "" && terminal(c.App.Writer) {
		errs = append(errs, errors.New("a PNG is not for a terminal: give --output FILE"))
	}
	return errors.Join(errs...)
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colours are for terminals, unless NO_COLOR is set: https://no-color.org
func colours(w io.Writer) bool {
	return terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// previews are the notifications that would be sent.
func previews(c *cli.Context) ([]bridge.Notification, error) {
	run, err := readWorkflow(c.String("workflow"))
	if err != nil {
		return nil, err
	}
	t, err := templateOf(c.StringSlice("template"), &run)
	if err != nil {
		return nil, err
	}
	outcomes := []bridge.Outcome{bridge.Outcome(c.String("outcome"))}
	if outcomes[0] == "" {
		outcomes = standing(run)
	}
	routes, err := chosen(t.Routes(run.Rule), outcomes, c.String("destination"))
	if err != nil {
		return nil, err
	}
	layouts, err := readLayouts(c.StringSlice("layout"))
	if err != nil {
		return nil, err
	}
	r := &notify.Reporter{Origins: noOrigins{}, Layouts: layouts, UI: c.String("ui"), Log: zap.NewNop(), Now: time.Now}
	var all []bridge.Notification
	for _, route := range routes {
		n := r.Preview(c.Context, withoutRun(run, route.Outcome), route)
		if n.Run.Name == "" {
			n.Reason = "(here stands why)"
		}
		all = append(all, n)
	}
	return all, nil
}

// readWorkflow reads a Workflow in YAML or JSON.
func readWorkflow(path string) (bridge.Run, error) {
	var data []byte
	var err error
	if path == "-" {
		data, err = io.ReadAll(os.Stdin)
	} else {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return bridge.Run{}, fmt.Errorf("read workflow: %w", err)
	}
	if data, err = yaml.YAMLToJSON(data); err != nil {
		return bridge.Run{}, fmt.Errorf("read workflow %s: %w", path, err)
	}
	return watch.Read(data)
}

// templateOf is the run's template among the files; the only one, where the Workflow names none.
func templateOf(paths []string, run *bridge.Run) (*workflowtemplates.Template, error) {
	files, err := workflowtemplates.Load(paths, os.Stdin)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, f := range files.Faults {
		errs = append(errs, fmt.Errorf("%s:%d: %s", f.File, f.Line, f.Message))
	}
	var names []string
	for _, in := range files.Inputs {
		t := workflowtemplates.Parse(in, app.Language())
		names = append(names, t.Ref.Name)
		if t.Ref.Name != run.Template.Name && (run.Template.Name != "" || len(files.Inputs) > 1) {
			continue
		}
		for _, f := range t.Faults {
			if f.Severity != workflowtemplates.Warning {
				errs = append(errs, fmt.Errorf("%s: %s", f.Key, f.Message))
			}
		}
		if run.Template.Name == "" {
			run.Template = bridge.Template{Namespace: run.Namespace, Name: t.Ref.Name}
		}
		return t, errors.Join(errs...)
	}
	if len(errs) == 0 {
		errs = append(errs, fmt.Errorf("the Workflow is of the template %q, and the files hold: %s", run.Template.Name, cmp.Or(strings.Join(names, ", "), "no template")))
	}
	return nil, errors.Join(errs...)
}

// standing are the outcomes of a run as it stands.
func standing(run bridge.Run) []bridge.Outcome {
	if outcomes := run.Outcomes(); len(outcomes) > 0 {
		return outcomes
	}
	if slices.ContainsFunc(run.Pauses, bridge.Pause.Open) {
		return []bridge.Outcome{bridge.Suspended}
	}
	return []bridge.Outcome{bridge.Started}
}

// chosen are the routes of the outcomes, each destination once.
func chosen(routes []bridge.Route, outcomes []bridge.Outcome, destination string) (all []bridge.Route, err error) {
	var has []string
	for _, outcome := range outcomes {
		for _, route := range routes {
			if route.Outcome != outcome || destination != "" && route.To.String() != destination ||
				slices.ContainsFunc(all, func(r bridge.Route) bool { return r.To == route.To }) {
				continue
			}
			all = append(all, route)
		}
	}
	for _, route := range routes {
		has = append(has, fmt.Sprintf("%s: %s", route.Outcome, route.To))
	}
	switch {
	case len(all) > 0:
		return all, nil
	case len(has) == 0:
		return nil, cli.Exit("nothing would be sent: the template has no annotation notify", exitNoMatch)
	}
	what := string(outcomes[0])
	if destination != "" {
		what += " to " + destination
	}
	return nil, cli.Exit(fmt.Sprintf("nothing would be sent of %s; notify says: %s", what, strings.Join(has, ", ")), exitNoMatch)
}

// withoutRun is what a notification knows of a run that was not made.
func withoutRun(run bridge.Run, o bridge.Outcome) bridge.Run {
	switch o {
	case bridge.Queued, bridge.EventHeld, bridge.EventSkipped, bridge.EventRejected:
		return bridge.Run{Namespace: run.Namespace, Template: run.Template, Rule: run.Rule, Labels: run.Labels, Annotations: run.Annotations}
	}
	return run
}

// noOrigins knows no event.
type noOrigins struct{}

// Variables are none.
func (noOrigins) Variables(context.Context, bridge.Run) map[string]any { return nil }

// fileLayouts are ConfigMaps from files, by name.
type fileLayouts map[string]map[string]string

func readLayouts(paths []string) (fileLayouts, error) {
	all := fileLayouts{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read layout: %w", err)
		}
		for _, document := range bytes.Split(data, []byte("\n---")) {
			var m corev1.ConfigMap
			if err := yaml.Unmarshal(document, &m); err != nil {
				return nil, fmt.Errorf("read layout %s: %w", path, err)
			}
			if m.Kind == "ConfigMap" {
				all[m.Name] = m.Data
			}
		}
	}
	if len(all) == 0 && len(paths) > 0 {
		return nil, errors.New("the layout files hold no ConfigMap")
	}
	return all, nil
}

// Blocks renders a layout of the files. See notify.Layouts.
func (f fileLayouts) Blocks(_ context.Context, _, from string, variables map[string]any) (string, error) {
	name, key, _ := strings.Cut(from, "/")
	text, ok := f[name][key]
	if !ok {
		return "", fmt.Errorf("no file with the ConfigMap %s and its key %s is given: --layout FILE", name, key)
	}
	l, err := layout.Compile([]byte(text))
	if err != nil {
		return "", fmt.Errorf("ConfigMap %s: %w", from, err)
	}
	return l.Render(variables)
}

// show writes the notifications; only text takes several.
func show(w io.Writer, all []bridge.Notification, format string, coloured bool) error {
	if format != "text" && len(all) > 1 {
		var names []string
		for _, n := range all {
			names = append(names, n.To.String())
		}
		return fmt.Errorf("it would go to %s: name one by --destination", strings.Join(names, " and "))
	}
	for i, n := range all {
		if format == "text" && len(all) > 1 {
			if i > 0 {
				fmt.Fprintln(w)
			}
			fmt.Fprintf(w, "— %s —\n", n.To)
		}
		if err := showOne(w, n, format, coloured); err != nil {
			return err
		}
	}
	return nil
}

func showOne(w io.Writer, n bridge.Notification, format string, coloured bool) error {
	switch n.To.Scheme {
	case "slack":
	case "webhook", "nats":
		if format == "html" || format == "png" {
			return fmt.Errorf("%s gets JSON, of which there is no picture: --format json", n.To)
		}
		e, err := announce.Event(n)
		if err != nil {
			return err
		}
		return writeJSON(w, e)
	default:
		return fmt.Errorf("there is no preview of %s, only of slack, webhook and nats", n.To)
	}
	a := message.Of(n)
	a.Mentions = n.Mentions
	rendered := message.Message(a)
	if format == "json" {
		return writeJSON(w, rendered)
	}
	data, err := json.Marshal(rendered)
	if err != nil {
		return err
	}
	m, err := picture.Parse(data)
	if err != nil {
		return err
	}
	switch format {
	case "html":
		return m.WriteHTML(w)
	case "png":
		return m.WritePNG(w)
	}
	return m.WriteText(w, coloured)
}
