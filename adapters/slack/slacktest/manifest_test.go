package slacktest

import (
	"strings"
	"testing"

	"github.com/slack-go/slack"
)

func TestAManifestIsHeldAgainstSlacksSchema(t *testing.T) {
	t.Parallel()
	const good = `{"display_information": {"name": "n", "description": "d"},
		"features": {"bot_user": {"display_name": "b", "always_online": true}, "slash_commands": [{"command": "/a", "url": "https://b/c", "description": "x"}]},
		"oauth_config": {"scopes": {"bot": ["commands"]}},
		"settings": {"event_subscriptions": {"request_url": "https://b/e", "bot_events": ["app_mention"]}, "interactivity": {"is_enabled": true, "request_url": "https://b/i"}}}`
	for name, tt := range map[string]struct{ from, to, want string }{
		"a good one":                    {"", "", ""},
		"no JSON":                       {"{", "[", "/: "},
		"an unknown field":              {`"description": "d"`, `"descripton": "d"`, "/: "},
		"no name":                       {`"name": "n"`, `"name": ""`, "/display_information/name"},
		"a long description":            {`"description": "d"`, `"description": "` + strings.Repeat("x", 141) + `"`, "/display_information/description"},
		"no bot":                        {`"bot_user": {"display_name": "b", "always_online": true}, `, ``, "/features/bot_user"},
		"a command without a slash":     {`"/a"`, `"aa"`, "/features/slash_commands/0/command"},
		"a command without description": {`"description": "x"`, `"description": ""`, "/features/slash_commands/0/description"},
		"a command without an address":  {`"url": "https://b/c", `, ``, "/features/slash_commands/0/url"},
		"an address without TLS":        {`https://b/e`, `http://b/e`, "/settings/event_subscriptions/request_url"},
		"buttons without an address":    {`, "request_url": "https://b/i"`, ``, "/settings/interactivity/request_url"},
		"an event twice":                {`["app_mention"]`, `["app_mention", "app_mention"]`, "/settings/event_subscriptions/bot_events"},
		"commands without the scope":    {`["commands"]`, `["chat:write"]`, "/oauth_config/scopes/bot"},
	} {
		got := CheckManifest([]byte(strings.Replace(good, tt.from, tt.to, 1)))
		if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], tt.want)) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	s, err := New(Options{Token: testToken, ConfigToken: "xoxe-1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	api := s.clientOf(testToken)
	if _, err := api.ValidateManifestRawContext(t.Context(), []byte(good), "xoxe-1", ""); err != nil {
		t.Error(err)
	}
	answer, err := api.ValidateManifestRawContext(t.Context(), []byte(`{"display_information": {}}`), "xoxe-1", "")
	if word(t, err) != "invalid_manifest" || len(answer.Errors) != 1 || answer.Errors[0] != (slack.ManifestValidationError{Message: "has not 1 to 35 characters", Pointer: "/display_information/name"}) {
		t.Errorf("%v, %+v", err, answer)
	}
	if _, err := api.ValidateManifestRawContext(t.Context(), []byte(good), testToken, ""); word(t, err) != "not_allowed_token_type" {
		t.Error(err)
	}
}
