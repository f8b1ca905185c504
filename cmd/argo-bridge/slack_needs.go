package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/setup"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// slackSection is that of the config file; without a config, an empty one.
func slackSection(c *cli.Context) (slack.Config, error) {
	if !c.IsSet("config") {
		return slack.Config{}, nil
	}
	o, err := readOptions(c)
	if err != nil {
		return slack.Config{}, err
	}
	if o.Slack == nil {
		return slack.Config{}, fmt.Errorf("config %s: there is no section slack", c.String("config"))
	}
	return *o.Slack, nil
}

// slackNeeds are what every bridge needs, the configuration, and the rules of --template or those in the cluster.
func slackNeeds(c *cli.Context, config slack.Config) (n setup.Needs, err error) {
	n = setup.Base(config.OwnCommand())
	n.Config(config)
	templates, _, err := templatesOf(c)
	if errors.Is(err, errNoRules) {
		_, _ = fmt.Fprintln(c.App.ErrWriter, "argo-bridge: no --template is named and there is no kubeconfig: what every bridge needs is looked at")
		return n, nil
	}
	if err != nil {
		return n, err
	}
	for _, t := range templates {
		addSlackNeeds(&n, t)
	}
	for _, event := range n.Unknown {
		_, _ = fmt.Fprintf(c.App.ErrWriter, "argo-bridge: which scope the event %s wants is not known here: see Slack's page of it\n", event)
	}
	for _, id := range n.Shortcuts {
		_, _ = fmt.Fprintf(c.App.ErrWriter, "argo-bridge: add the shortcut %s by hand (app settings: Interactivity & Shortcuts): its name is yours to choose\n", id)
	}
	return n, nil
}

func addSlackNeeds(n *setup.Needs, t *workflowtemplates.Template) {
	name := t.Ref.String()
	n.Allow(t.Allow, name)
	for _, route := range t.Routes("") {
		n.Route(route, name)
	}
	for _, r := range append(t.Rules, t.Faulty...) {
		n.Rule(r)
		who := name + ", rule " + r.Name
		for _, trigger := range r.Triggers {
			nameInSlack(n, trigger, who)
		}
		for _, route := range t.Routes(r.Name) {
			n.Route(route, who)
		}
	}
}

// nameInSlack adds the commands, channels and shortcuts that a trigger's filters name in full.
func nameInSlack(n *setup.Needs, t bridge.Trigger, who string) {
	event, ok := strings.CutPrefix(t.Event, "slack.")
	if !ok {
		return
	}
	for _, f := range t.Filters {
		for _, b := range match.Beginnings(f) {
			switch {
			case !b.Whole:
			case event == "command" && f.Key() == "commands":
				n.Command(b.Text, who)
			case event == "shortcut" && f.Key() == "ids":
				n.Shortcut(b.Text)
			case event != "command" && event != "action" && event != "shortcut" && f.Key() == "channels":
				n.Channel(b.Text, who) // Slack tells an app of what happens in the channels that it is in
			}
		}
	}
}
