package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.uber.org/zap"
	"google.golang.org/api/option"

	"github.com/argo-bridge/argo-bridge/adapters/cloudevents"
	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/webhook"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/bridge/watch"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// secrets are what the config's files and variables hold.
type secrets struct {
	github []string
	// githubKey is the private key of the GitHub App, in PEM.
	githubKey []byte
	gcs       []option.ClientOption
	slack     slack.Secrets
	events    map[string]cloudevents.Secrets // by endpoint
	webhooks  map[string]webhook.Target
}

func loadSecrets(o Options, getenv func(string) string) (s secrets, err error) {
	var errs []error
	if o.GitHub != nil {
		s.github, err = o.GitHub.Load(getenv)
		errs = append(errs, section("github", err))
		s.githubKey, err = o.GitHub.LoadKey(getenv)
		errs = append(errs, section("github", err))
	}
	if o.GCS != nil {
		s.gcs, err = o.GCS.Load()
		errs = append(errs, section("gcs", err))
	}
	if o.Slack != nil {
		s.slack, err = o.Slack.Load(getenv)
		errs = append(errs, section("slack", err))
	}
	s.events, err = o.CloudEvents.Load(getenv)
	errs = append(errs, section("cloudevents", err))
	s.webhooks, err = o.Webhooks.Load(getenv)
	errs = append(errs, section("webhooks", err))
	return s, errors.Join(errs...)
}

// scope is the namespace whose objects are followed; empty for all.
func (a *App) scope() string {
	if a.options.ClusterWide {
		return ""
	}
	return a.options.Namespace
}

// access is the compiled access section, or what holds without one.
func (a *App) access() (match.Access, error) {
	if len(a.options.Access) > 0 {
		return match.NewAccess(a.options.Access, a.options.Namespace)
	}
	if !a.options.ClusterWide {
		return match.AllowAll(), nil
	}
	a.log.Warn("this cluster-wide install serves nobody: the config has no access section, " +
		"which says what the templates of each namespace may be started by")
	return match.AllowNone(), nil
}

// link is a Workflow's page in the Argo UI, for namespace/name.
func (a *App) link(workflow string) string {
	if a.options.Argo.UI == "" {
		return ""
	}
	link, err := url.JoinPath(a.options.Argo.UI, "workflows", workflow)
	if err != nil {
		return ""
	}
	return link
}

// rulesOf and routesOf answer from the catalog's view of the moment.
type (
	rulesOf  struct{ *workflowtemplates.Catalog }
	routesOf struct{ *workflowtemplates.Catalog }
)

func (r rulesOf) Match(f bridge.Facts, variables match.Variables) []bridge.Decision {
	return r.View().Match(f, variables)
}

func (r rulesOf) Rule(t bridge.Template, name string) (*bridge.Rule, bridge.Decision) {
	return r.View().Rule(t, name)
}

func (r routesOf) Routes(template bridge.Template, rule string) []bridge.Route {
	return r.View().Routes(template, rule)
}

// reporters tells several reporters of the faults of templates.
type reporters []workflowtemplates.Reporter

func (r reporters) Faults(t bridge.Template, uid string, faults []workflowtemplates.Fault) {
	for _, reporter := range r {
		reporter.Faults(t, uid, faults)
	}
}

// logReporter logs faults; they are a template author's, so a warning and no error.
type logReporter struct{ log *zap.Logger }

func (r logReporter) Faults(t bridge.Template, _ string, faults []workflowtemplates.Fault) {
	for _, f := range faults {
		r.log.Warn("fault in an annotation", zap.Stringer(bridge.LogTemplate, t), zap.String("key", f.Key),
			zap.Int("line", f.Line), zap.String("severity", string(f.Severity)),
			zap.String(bridge.LogDetail, f.Message), zap.String("suggestion", f.Suggestion))
	}
}

// A viewCount is how much a view of the templates holds.
type viewCount struct{ templates, rules, faulty int }

func count(v *workflowtemplates.View) viewCount {
	c := viewCount{templates: len(v.Templates()), rules: len(v.Matcher.Rules())}
	for _, t := range v.Templates() {
		if len(t.Faulty) > 0 {
			c.faulty++
		}
	}
	return c
}

// watermark keeps the watcher's mark in the state bucket.
type watermark struct{ state *bus.Bucket }

const watermarkKey = "watch.reported"

func (w *watermark) Load(ctx context.Context) (m watch.Mark, err error) {
	entry, ok, err := w.state.Get(ctx, watermarkKey)
	if err != nil || !ok {
		return m, err
	}
	if err := json.Unmarshal(entry.Value, &m); err == nil {
		return m, nil
	}
	// Bridges before v0.2 wrote the time alone.
	if m.Since, err = time.Parse(time.RFC3339Nano, string(entry.Value)); err != nil {
		return m, fmt.Errorf("state %s: %w", watermarkKey, err)
	}
	return m, nil
}

func (w *watermark) Save(ctx context.Context, m watch.Mark) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return w.state.Put(ctx, watermarkKey, data)
}

// ends tells several handlers of each change of a run; all are asked, whatever the others say.
type ends []watch.Handler

func (e ends) Changed(ctx context.Context, run bridge.Run) error {
	var errs []error
	for _, handler := range e {
		errs = append(errs, handler.Changed(ctx, run))
	}
	return errors.Join(errs...)
}

// wants answers from the catalog's view of the moment.
type wants struct{ *workflowtemplates.Catalog }

func (w wants) Wants(f bridge.Facts) bool { return w.View().Wants(f) }
