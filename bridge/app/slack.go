package app

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/alerts"
	"github.com/argo-bridge/argo-bridge/adapters/slack/desk"
	"github.com/argo-bridge/argo-bridge/adapters/slack/progress"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/intake"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// slackParts are what talks to Slack; all nil without a token.
type slackParts struct {
	workspaces *slack.Workspaces
	alerts     *alerts.Notifier
	progress   *progress.Progress
	warden     *slack.Warden
	finder     *desk.Finder
	inbox      *slack.Inbox // takes events without a token too
}

// buildSlack makes what talks to Slack.
func (a *App) buildSlack(t tables, access match.Access) {
	if a.options.Slack == nil || a.secrets.slack.Token == "" && len(a.secrets.slack.Tokens) == 0 {
		return
	}
	config := *a.options.Slack
	people := map[string]string{}
	for name, id := range config.People {
		people[strings.ToLower(name)] = id
	}
	s := &a.slack
	s.workspaces = slack.NewWorkspaces(a.secrets.slack, slack.WorkspaceOptions{APIURL: config.APIURL, Now: a.seams.Now})
	s.alerts = alerts.New(alerts.Options{
		Clients: s.workspaces, Table: through[alerts.Table](a.seams.Alerts, register{t.alerts}), Silences: a.silences, People: people,
		Settings: alerts.Settings{Window: config.Alerts.Window, Repeat: config.Alerts.Repeat, Quiet: config.Alerts.Quiet, Burst: config.Alerts.Burst},
		Others:   a.bus.External(), Owner: rand.Text(), Refused: a.undelivered, Painted: a.metrics.painted, Log: a.part("slack"), Now: a.seams.Now,
	})
	s.progress = progress.New(progress.Options{Clients: s.workspaces, Register: register{t.alerts}, Now: a.seams.Now})
	s.warden = slack.NewWarden(s.workspaces, config.Allow, a.seams.Now)
	a.inquirers["slack"] = s.warden
	s.finder = &desk.Finder{Templates: templatesOf{a.catalog}, Runs: a.operator, Access: access, Warden: s.warden}
	if a.options.ClusterWide {
		s.finder.ClusterNamespace = a.options.Namespace
	}
}

// buildInbox makes what takes what Slack delivers.
func (a *App) buildInbox() {
	if a.options.Slack == nil {
		return
	}
	o := slack.InboxOptions{Now: a.seams.Now, Observer: a.metrics, Logger: a.part("slack"), Answers: a.ledger, Link: a.link}
	if s := a.slack; s.workspaces != nil {
		o.Workspaces, o.Book = s.workspaces, s.progress
		o.Desk = desk.New(desk.Options{
			Command: a.options.Slack.OwnCommand(), Finder: s.finder, Logs: a.tailer, Allow: a.options.Slack.Allow, Silences: a.silences,
			Clients: s.workspaces, Rules: wants{a.catalog}, Link: a.link, Log: a.part("slack"), Now: a.seams.Now,
		})
	}
	a.slack.inbox = slack.NewInbox(a.publisher(), o)
}

// hooks adds the handlers by which Slack delivers over HTTP.
func (s slackParts) hooks(all map[string]http.Handler, signing []string, limit *intake.Limiter) {
	if s.inbox == nil {
		return
	}
	hooks := slack.NewWebhooks(signing, s.inbox)
	all["/webhooks/slack/events"] = limit.Wrap(hooks.Events())
	all["/webhooks/slack/commands"] = limit.Wrap(hooks.Commands())
	all["/webhooks/slack/interactions"] = limit.Wrap(hooks.Interactions())
}

// socket fetches from Slack by Socket Mode; nil when that is not set up.
func (a *App) socket() *slack.Socket {
	if a.slack.inbox == nil || a.secrets.slack.App == "" {
		return nil
	}
	return slack.NewSocket(a.secrets.slack.App, a.slack.inbox, slack.SocketOptions{APIURL: a.options.Slack.APIURL, Logger: a.part("slack")})
}

// A slackNotifier serves all destinations of Slack.
type slackNotifier struct {
	*alerts.Notifier
	progress *progress.Progress
}

// Notify implements bridge.Notifier.
func (n slackNotifier) Notify(ctx context.Context, m bridge.Notification) error {
	if m.To.Target == bridge.TargetProgress {
		return n.progress.Notify(ctx, m)
	}
	return n.Notifier.Notify(ctx, m)
}

// undelivered reports on the template that a notification cannot be delivered.
func (a *App) undelivered(n bridge.Notification, err error) {
	t, ok := a.catalog.View().Template(n.Run.Template)
	if !ok {
		return
	}
	a.events.Undelivered(n.Run.Template, t.UID, err.Error())
}

// templatesOf answers from the catalog's view of the moment.
type templatesOf struct{ *workflowtemplates.Catalog }

// Templates implements desk.Templates.
func (t templatesOf) Templates() []desk.Template {
	all := t.View().Templates()
	found := make([]desk.Template, 0, len(all))
	for _, of := range all {
		found = append(found, desk.Template{Ref: of.Ref, Description: of.Description, Declared: of.Declared, Allow: of.Allow})
	}
	return found
}

// Allowances implements orders.Templates.
func (t templatesOf) Allowances(ref bridge.Template) (bridge.Allowances, bool) {
	of, ok := t.View().Template(ref)
	if !ok {
		return nil, false
	}
	return of.Allow, true
}

// Declared implements orders.Templates.
func (t templatesOf) Declared(ref bridge.Template) ([]bridge.Declared, bool) {
	of, ok := t.View().Template(ref)
	if !ok {
		return nil, false
	}
	return of.Declared, true
}
