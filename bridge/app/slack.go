package app

import (
	"crypto/rand"
	"strings"

	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/alerts"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// buildSlack makes what talks to Slack; nothing without a token.
func (a *App) buildSlack(t tables) {
	if a.options.Slack == nil || a.secrets.slack.Token == "" && len(a.secrets.slack.Tokens) == 0 {
		return
	}
	config := *a.options.Slack
	people := map[string]string{}
	for name, id := range config.People {
		people[strings.ToLower(name)] = id
	}
	a.workspaces = slack.NewWorkspaces(a.secrets.slack, slack.WorkspaceOptions{APIURL: config.APIURL, Now: a.seams.Now})
	a.alerts = alerts.New(alerts.Options{
		Clients: a.workspaces, Table: register{t.alerts}, Silences: a.silences, People: people,
		Settings: alerts.Settings{Window: config.Alerts.Window, Repeat: config.Alerts.Repeat, Quiet: config.Alerts.Quiet, Burst: config.Alerts.Burst},
		Others:   a.bus.External(), Owner: rand.Text(), Refused: a.undelivered, Painted: a.metrics.painted, Log: a.part("slack"), Now: a.seams.Now,
	})
}

// undelivered reports on the template that a notification cannot be delivered.
func (a *App) undelivered(n bridge.Notification, err error) {
	t, ok := a.catalog.View().Template(n.Run.Template)
	if !ok {
		return
	}
	a.events.Undelivered(n.Run.Template, t.UID, err.Error())
}
