package main

import (
	"crypto/rand"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
)

// teamID is the workspace of which the commands are.
const teamID = "T0001ACME"

// Secrets are what GitHub, Slack and the bridge share.
type secrets struct{ github, slackSigning, slackToken string }

// A workspace is the local Slack, with the channels that the examples name.
type workspace struct {
	secrets  secrets
	server   *slacktest.Server
	names    map[string]string // channel id → #name
	releases string            // the id of #releases
	told     map[string]int    // how often each message had been changed when it was shown
}

func startWorkspace() (_ *workspace, err error) {
	w := &workspace{
		secrets: secrets{github: rand.Text(), slackSigning: rand.Text(), slackToken: "xoxb-" + rand.Text()},
		names:   map[string]string{}, told: map[string]int{},
	}
	w.server, err = slacktest.New(slacktest.Options{Token: w.secrets.slackToken, Team: teamID})
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"data-alerts", "builds", "ops", "releases"} {
		id := w.server.AddChannel(name).ID
		w.names[id] = "#" + name
		w.releases = id
	}
	return w, nil
}

// next returns the oldest message that was not shown as it is now; those in threads are left out.
func (w *workspace) next() (channel string, m slacktest.Message, ok bool) {
	for _, m := range w.server.Messages() {
		shown, known := w.told[m.TS]
		if m.ThreadTS != "" || known && shown == len(m.Edits) {
			continue
		}
		w.told[m.TS] = len(m.Edits)
		return w.names[m.Channel], m, true
	}
	return "", m, false
}
