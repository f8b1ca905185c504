package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	slackgo "github.com/slack-go/slack"
	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/adapters/slack/setup"
	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge/app"
)

// TestTheSlackPageLeadsFromNothingToAGoodApp does what docs/slack.md says, in its order, as a newcomer would.
func TestTheSlackPageLeadsFromNothingToAGoodApp(t *testing.T) {
	p := readPageOf(t, "../../docs/slack.md")
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Chdir(t.TempDir())
	write(t, "nightly-load.yaml", p.block(t, "apiVersion"))
	if code, out := invoke(t, p.command(t, "lint")...); code != 0 {
		t.Errorf("%d %s", code, out)
	}
	manifest := p.command(t, "slack manifest --url")
	code, out := invoke(t, manifest[:len(manifest)-2]...) // without > manifest.yaml
	if diff := cmp.Diff(p.block(t, "display_information"), out); code != 0 || diff != "" {
		t.Fatalf("%d, the page does not say what the command does:\n%s", code, diff)
	}
	var made setup.Manifest
	if err := yaml.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}

	// Slack makes the app and installs it.
	s := slacktest.NewServer("xoxb-page")
	t.Cleanup(s.Close)
	s.Team().Grant(made.OAuth.Scopes.Bot...)
	c := s.AddChannel("data-alerts")
	s.Change(c, func(c *slacktest.Channel) { c.Member = false })
	write(t, "slack-token", "xoxb-page\n")
	write(t, "slack-signing-secret", "shh\n")
	config := p.block(t, "slack:\n  signingSecretFiles")
	var o app.Options
	if err := decodeOptions([]byte(config), &o); err != nil {
		t.Fatal(err)
	}
	write(t, "config.yaml", strings.ReplaceAll(config, "/etc/argo-bridge/secrets/", "")+"  apiURL: "+s.APIURL()+"\n")

	check := p.command(t, "slack check")
	if code, out := invoke(t, check...); code != 1 || out != p.block(t, "channel #data-alerts") {
		t.Errorf("%d, before the invitation:\n%s", code, cmp.Diff(p.block(t, "channel #data-alerts"), out))
	}
	s.Change(c, func(c *slacktest.Channel) { c.Member = true }) // /invite @argo-bridge
	if code, out := invoke(t, check...); code != 0 || out != p.block(t, "0 findings") {
		t.Errorf("%d, when all is well:\n%s", code, out)
	}
	var a setup.Answer
	if code, out := invoke(t, append(check, "-o", "json")...); code != 0 || json.Unmarshal([]byte(out), &a) != nil || len(a.Workspaces) != 1 {
		t.Errorf("%d %s", code, out)
	}
}

func TestTheManifestOfSocketModeNamesNoAddress(t *testing.T) {
	t.Parallel()
	mention := file(t, "t.yaml", template("slack.app_mention", ""))
	socket := file(t, "c.yaml", "slack: {appTokenFile: a, tokenFile: b, command: /bridge}\n")
	for name, args := range map[string][]string{"by flag": {"--socket"}, "by config": {"--config", socket}} {
		code, out := invoke(t, append([]string{"slack", "manifest", "--template", mention}, args...)...)
		if code != 0 || strings.Contains(out, "url:") || !strings.Contains(out, "socket_mode_enabled: true") || !strings.Contains(out, "- app_mention\n") {
			t.Errorf("%s: %d %s", name, code, out)
		}
		if name == "by config" && !strings.Contains(out, "command: /bridge\n") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

// TestSlackGoReadsTheManifest: the names of its fields are Slack's.
func TestSlackGoReadsTheManifest(t *testing.T) {
	t.Parallel()
	rules := file(t, "t.yaml", template("{slack.command: {commands: [/deploy]}, slack.message: {}, slack.shortcut: {ids: [fix]}, slack.of_tomorrow: {}}", ""))
	code, out := invoke(t, "slack", "manifest", "--url", "https://b.example.com/", "--template", rules, "-o", "json")
	begin := strings.Index(out, "{")
	var m slackgo.Manifest
	if err := json.Unmarshal([]byte(out[max(begin, 0):]), &m); err != nil || code != 0 {
		t.Fatalf("%d, %v: %s", code, err, out)
	}
	s, err := slacktest.New(slacktest.Options{ConfigToken: "xoxe-1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	answer, err := slackgo.New("", slackgo.OptionAPIURL(s.APIURL())).ValidateManifestRawContext(t.Context(), []byte(out[begin:]), "xoxe-1", "")
	if err != nil {
		t.Errorf("%v: %+v", err, answer)
	}
	if len(m.Features.SlashCommands) != 2 || m.Features.SlashCommands[1].Command != "/deploy" || m.Features.SlashCommands[1].Url != "https://b.example.com/webhooks/slack/commands" ||
		len(m.Settings.EventSubscriptions.BotEvents) != 5 || !m.Settings.Interactivity.IsEnabled || len(m.OAuthConfig.Scopes.Bot) == 0 {
		t.Errorf("got %+v", m)
	}
	for _, want := range []string{"event of_tomorrow", "shortcut fix"} {
		if !strings.Contains(out[:max(begin, 0)], want) {
			t.Errorf("nothing is said of %s: %s", want, out[:max(begin, 0)])
		}
	}
}

func TestTheSlackCommandsCalls(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	rules := file(t, "t.yaml", template("slack.app_mention", ""))
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a manifest without rules":     {[]string{"manifest", "--socket"}, 0, "what every bridge needs"},
		"no address":                   {[]string{"manifest", "--template", rules}, 2, "--socket"},
		"an address without TLS":       {[]string{"manifest", "--url", "http://b", "--template", rules}, 2, "Slack wants https"},
		"both":                         {[]string{"manifest", "--url", "https://b", "--socket", "--template", rules}, 2, "needs no address"},
		"a long name":                  {[]string{"manifest", "--socket", "--name", strings.Repeat("x", 36), "--template", rules}, 2, "--name"},
		"a template that is not there": {[]string{"manifest", "--socket", "--template", "none.yaml"}, 2, "none.yaml"},
		"an argument":                  {[]string{"manifest", "--socket", "more"}, 2, "is no flag"},
		"no such command":              {[]string{"chek"}, 2, "there is no command"},
		"help":                         {nil, 0, "manifest"},
		"check without a config":       {[]string{"check", "--template", rules}, 2, "--config"},
		"check with a config without":  {[]string{"check", "--config", file(t, "c.yaml", "namespace: argo\n")}, 2, "no section slack"},
		"check with a bad config":      {[]string{"check", "--config", file(t, "d.yaml", "slack: {tokenFile: a, tokenEnv: B}\n")}, 2, "only one of them"},
		"check without the token":      {[]string{"check", "--config", file(t, "e.yaml", "slack: {tokenFile: none}\n")}, 2, "tokenFile: read secret"},
		"an unknown output":            {[]string{"check", "--config", file(t, "f.yaml", "slack: {tokenFile: none}\n"), "-o", "xml"}, 2, "the formats are"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out := invoke(t, append([]string{"slack"}, tt.args...)...)
			if code != tt.code || !strings.Contains(out, tt.says) {
				t.Errorf("got %d, %q; want %d, %q", code, out, tt.code, tt.says)
			}
		})
	}
}
