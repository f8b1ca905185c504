package setup

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// A Manifest is what Slack makes an app of: https://docs.slack.dev/reference/app-manifest
type Manifest struct {
	Display  Display  `yaml:"display_information" json:"display_information"`
	Features Features `yaml:"features" json:"features"`
	OAuth    OAuth    `yaml:"oauth_config" json:"oauth_config"`
	Settings Settings `yaml:"settings" json:"settings"`
}

// Display is how the app is shown.
type Display struct {
	Name        string `yaml:"name" json:"name"`
	Description string `yaml:"description" json:"description"`
}

// Features are what the app shows in Slack.
type Features struct {
	Home     Home      `yaml:"app_home" json:"app_home"`
	Bot      Bot       `yaml:"bot_user" json:"bot_user"`
	Commands []Command `yaml:"slash_commands" json:"slash_commands"`
}

// Home says which tabs the app's page has. Messages to single users need the one for messages.
type Home struct {
	Tab      bool `yaml:"home_tab_enabled" json:"home_tab_enabled"`
	Messages bool `yaml:"messages_tab_enabled" json:"messages_tab_enabled"`
	ReadOnly bool `yaml:"messages_tab_read_only_enabled" json:"messages_tab_read_only_enabled"`
}

// A Bot is the user as which the app posts.
type Bot struct {
	Name   string `yaml:"display_name" json:"display_name"`
	Online bool   `yaml:"always_online" json:"always_online"`
}

// A Command is a slash command.
type Command struct {
	Command     string `yaml:"command" json:"command"`
	URL         string `yaml:"url,omitempty" json:"url,omitempty"`
	Description string `yaml:"description" json:"description"`
	Hint        string `yaml:"usage_hint,omitempty" json:"usage_hint,omitempty"`
	Escape      bool   `yaml:"should_escape" json:"should_escape"`
}

// OAuth has the scopes of the bot token.
type OAuth struct {
	Scopes Scopes `yaml:"scopes" json:"scopes"`
}

// Scopes are what the app may do.
type Scopes struct {
	Bot []string `yaml:"bot" json:"bot"`
}

// Settings say what Slack sends, and where.
type Settings struct {
	Events        *Events       `yaml:"event_subscriptions,omitempty" json:"event_subscriptions,omitempty"`
	Interactivity Interactivity `yaml:"interactivity" json:"interactivity"`
	OrgDeploy     bool          `yaml:"org_deploy_enabled" json:"org_deploy_enabled"`
	Socket        bool          `yaml:"socket_mode_enabled" json:"socket_mode_enabled"`
	Rotation      bool          `yaml:"token_rotation_enabled" json:"token_rotation_enabled"`
}

// Events are the subscriptions of the Events API.
type Events struct {
	URL string   `yaml:"request_url,omitempty" json:"request_url,omitempty"`
	Bot []string `yaml:"bot_events" json:"bot_events"`
}

// Interactivity is where buttons and modals go.
type Interactivity struct {
	Enabled bool   `yaml:"is_enabled" json:"is_enabled"`
	URL     string `yaml:"request_url,omitempty" json:"request_url,omitempty"`
}

// Limits of a manifest, by Slack's page of it.
const (
	maxName     = 35
	maxCommands = 50
	maxEvents   = 100
)

// hooks are the beginning of the paths at which the bridge takes Slack's deliveries.
const hooks = "/webhooks/slack"

// Wanted is the app that is to be made.
type Wanted struct {
	// Name is the app's. Default: argo-bridge.
	Name string
	// URL is the public address of the bridge; Socket: the bridge fetches events from Slack, which needs no address.
	URL    string
	Socket bool
	// Command is the bridge's own among the commands.
	Command string
	Needs   Needs
}

// Defaults returns w with what is not set.
func (w Wanted) Defaults() Wanted {
	if w.Name == "" {
		w.Name = "argo-bridge"
	}
	w.URL = strings.TrimRight(w.URL, "/")
	return w
}

// Validate names every bad field by its flag.
func (w Wanted) Validate() error {
	var errs []error
	if n := utf8.RuneCountInString(w.Name); n == 0 || n > maxName {
		errs = append(errs, fmt.Errorf("--name: %q has not 1 to %d characters", w.Name, maxName))
	}
	u, err := url.Parse(w.URL)
	switch {
	case w.Socket && w.URL != "":
		errs = append(errs, errors.New("--url, --socket: with Socket Mode Slack needs no address of the bridge"))
	case w.Socket:
	case w.URL == "":
		errs = append(errs, errors.New("--url: name the address at which Slack reaches the bridge, such as https://bridge.example.com, or --socket if it cannot"))
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.User != nil:
		errs = append(errs, fmt.Errorf("--url: %q is no address such as https://bridge.example.com; Slack wants https", w.URL))
	}
	if n := len(w.Needs.commands); n > maxCommands {
		errs = append(errs, fmt.Errorf("the rules have %d slash commands; a Slack app has at most %d", n, maxCommands))
	}
	if n := len(w.Needs.events); n > maxEvents {
		errs = append(errs, fmt.Errorf("the rules need %d events; a Slack app has at most %d", n, maxEvents))
	}
	return errors.Join(errs...)
}

// Manifest describes the app.
func (w Wanted) Manifest() Manifest {
	at := func(path string) string {
		if w.Socket {
			return ""
		}
		return w.URL + hooks + path
	}
	m := Manifest{
		Display:  Display{w.Name, "Starts WorkflowTemplates of Argo Workflows, and tells how the runs end."},
		Features: Features{Home: Home{Messages: true, ReadOnly: true}, Bot: Bot{w.Name, true}},
		OAuth:    OAuth{Scopes{w.Needs.Scopes()}},
		Settings: Settings{Interactivity: Interactivity{true, at("/interactions")}, Socket: w.Socket},
	}
	for _, name := range w.Needs.Commands() {
		c := Command{Command: name, URL: at("/commands"), Description: "Starts what has a rule for it"}
		if name == w.Command {
			c.Description, c.Hint = "Runs templates, and tells of runs", "run | list | status | logs | retry | stop | silence | help"
		}
		m.Features.Commands = append(m.Features.Commands, c)
	}
	if events := w.Needs.Events(); len(events) > 0 {
		m.Settings.Events = &Events{at("/events"), events}
	}
	return m
}
