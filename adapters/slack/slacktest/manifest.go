package slacktest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// A manifest is what of an app's manifest the server knows, with the names and limits of Slack's own schema:
// https://github.com/slackapi/manifest-schema/blob/main/schemas/manifest.schema.1.0.0.json
type manifest struct {
	Metadata any `json:"_metadata"`
	Display  struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Color       string `json:"background_color"`
		Long        string `json:"long_description"`
	} `json:"display_information"`
	Features struct {
		Home any `json:"app_home"`
		Bot  *struct {
			Name   string `json:"display_name"`
			Online bool   `json:"always_online"`
		} `json:"bot_user"`
		Commands []struct {
			Command     string `json:"command"`
			URL         string `json:"url"`
			Description string `json:"description"`
			Hint        string `json:"usage_hint"`
			Escape      bool   `json:"should_escape"`
		} `json:"slash_commands"`
		Shortcuts any `json:"shortcuts"`
	} `json:"features"`
	OAuth struct {
		Scopes struct {
			Bot  []string `json:"bot"`
			User []string `json:"user"`
		} `json:"scopes"`
	} `json:"oauth_config"`
	Settings struct {
		Events *struct {
			URL string   `json:"request_url"`
			Bot []string `json:"bot_events"`
		} `json:"event_subscriptions"`
		Interactivity *struct {
			Enabled bool   `json:"is_enabled"`
			URL     string `json:"request_url"`
		} `json:"interactivity"`
		OrgDeploy bool `json:"org_deploy_enabled"`
		Socket    bool `json:"socket_mode_enabled"`
		Rotation  bool `json:"token_rotation_enabled"`
	} `json:"settings"`
}

// validateManifest is https://docs.slack.dev/reference/methods/apps.manifest.validate
func (c *call) validateManifest() object {
	errs := []object{}
	for _, problem := range CheckManifest([]byte(c.form.Get("manifest"))) {
		pointer, text, _ := strings.Cut(problem, ": ")
		errs = append(errs, object{"message": text, "pointer": pointer})
	}
	if len(errs) == 0 {
		return object{"ok": true, "errors": errs}
	}
	answer := refused("invalid_manifest")
	answer["errors"] = errs
	return answer
}

// CheckManifest says what is wrong with an app's manifest in JSON, each with a JSON pointer before it.
func CheckManifest(raw []byte) (problems []string) {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	var m manifest
	if err := d.Decode(&m); err != nil {
		return []string{"/: " + err.Error()}
	}
	bad := func(pointer, text string, arguments ...any) {
		problems = append(problems, pointer+": "+fmt.Sprintf(text, arguments...))
	}
	sized := func(pointer, value string, least, most int) {
		if n := length(value); n < least || n > most {
			bad(pointer, "has not %d to %d characters", least, most)
		}
	}
	sized("/display_information/name", m.Display.Name, 1, 35)
	sized("/display_information/description", m.Display.Description, 0, 140)
	if m.Features.Bot == nil && len(m.OAuth.Scopes.Bot) > 0 {
		bad("/features/bot_user", "is required for the scopes of a bot")
	} else if m.Features.Bot != nil {
		sized("/features/bot_user/display_name", m.Features.Bot.Name, 1, 80)
	}
	address := func(pointer, value string) {
		u, err := url.Parse(value)
		if value == "" && !m.Settings.Socket || value != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
			bad(pointer, "%q is no address of https", value)
		}
	}
	if len(m.Features.Commands) > 50 {
		bad("/features/slash_commands", "has more than 50 items")
	}
	for i, command := range m.Features.Commands {
		at := fmt.Sprintf("/features/slash_commands/%d", i)
		sized(at+"/command", command.Command, 2, 32)
		sized(at+"/description", command.Description, 1, 2000)
		sized(at+"/usage_hint", command.Hint, 0, 1000)
		address(at+"/url", command.URL)
		if !strings.HasPrefix(command.Command, "/") || strings.ContainsAny(command.Command, " ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			bad(at+"/command", "%q is no command", command.Command)
		}
	}
	if m.Settings.Interactivity != nil && m.Settings.Interactivity.Enabled {
		address("/settings/interactivity/request_url", m.Settings.Interactivity.URL)
	}
	if e := m.Settings.Events; e != nil {
		address("/settings/event_subscriptions/request_url", e.URL)
		if sorted := slices.Sorted(slices.Values(e.Bot)); len(e.Bot) > 100 || len(slices.Compact(sorted)) != len(e.Bot) {
			bad("/settings/event_subscriptions/bot_events", "has more than 100 items, or one twice")
		}
	}
	if len(m.Features.Commands) > 0 && !slices.Contains(m.OAuth.Scopes.Bot, "commands") {
		bad("/oauth_config/scopes/bot", "lacks commands for the slash commands")
	}
	return problems
}
