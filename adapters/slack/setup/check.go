package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/argo-bridge/argo-bridge/adapters/slack"
)

// A Question is what Check looks at.
type Question struct {
	Workspaces *slack.Workspaces
	Config     slack.Config
	Needs      Needs
	// AppToken is the app-level token; empty: there is none. APIURL is the root of the Web API; empty: Slack's.
	AppToken, APIURL string
}

// A Finding is something that is not as the bridge needs it.
type Finding struct {
	// Subject is the thing: workspace T024BE7LD, channel #data-alerts, user group @oncall.
	Subject string `json:"subject"`
	Problem string `json:"problem"`
	// Remedy is what to do.
	Remedy string `json:"remedy"`
}

// An Answer is what Check found.
type Answer struct {
	// Workspaces are those that answered, by team id.
	Workspaces []string `json:"workspaces"`
	Channels   []string `json:"channels"`
	Groups     []string `json:"groups"`
	// Findings is empty where all is well.
	Findings []Finding `json:"findings"`
}

// A checker collects what is found.
type checker struct {
	Question
	answer  Answer
	offices map[string]*office // by team id, "" for the default one
}

// An office is one workspace that is asked.
type office struct {
	api    *slackgo.Client
	team   string
	name   string // of its pages: https://acme.slack.com/
	app    string // the app's user
	scopes []string
}

func (o *office) may(scope string) bool { return slices.Contains(o.scopes, scope) }

// Check compares the workspaces with what is needed. An error means that it could not ask.
func Check(ctx context.Context, q Question) (Answer, error) {
	k := &checker{
		Question: q, offices: map[string]*office{},
		answer: Answer{Workspaces: []string{}, Channels: []string{}, Groups: []string{}, Findings: []Finding{}},
	}
	k.signing()
	for _, step := range []func(context.Context) error{k.socket, k.workspaces, k.channels, k.groups, k.people} {
		if err := step(ctx); err != nil {
			return k.answer, errors.New(q.Workspaces.Redact(err.Error()))
		}
	}
	return k.answer, nil
}

func (k *checker) find(subject, remedy, problem string, arguments ...any) {
	k.answer.Findings = append(k.answer.Findings, Finding{Subject: subject, Problem: fmt.Sprintf(problem, arguments...), Remedy: remedy})
}

// signing: without a secret and without Socket Mode nothing comes in.
func (k *checker) signing() {
	if len(k.Config.SigningSecretFiles)+len(k.Config.SigningSecretEnv) == 0 && !k.Config.Socket() {
		k.find("config", "set slack.signingSecretFiles (app settings: Basic Information), or slack.appTokenFile for Socket Mode",
			"nothing proves that a request is Slack's, so that commands, buttons and events are refused")
	}
}

// socket tries the app-level token: the address that Slack answers is not connected to.
func (k *checker) socket(ctx context.Context) error {
	if k.AppToken == "" {
		return nil
	}
	api := slackgo.New("", slackgo.OptionAppLevelToken(k.AppToken), slackgo.OptionAPIURL(strings.TrimRight(cmp.Or(k.APIURL, slack.DefaultAPIURL), "/")+"/"))
	_, _, err := api.StartSocketModeContext(ctx)
	var refused slackgo.SlackErrorResponse
	switch {
	case errors.As(err, &refused):
		k.find("app-level token", "make one with the scope connections:write (app settings: Basic Information), and turn Socket Mode on", "Slack refuses it: %s", refused.Err)
	case err != nil:
		return fmt.Errorf("ask for a connection of Socket Mode: %s", strings.ReplaceAll(err.Error(), k.AppToken, "[token]"))
	}
	return nil
}

// workspaces asks each token what it is of, and which scopes it has.
func (k *checker) workspaces(ctx context.Context) error {
	names := slices.Sorted(maps.Keys(k.Config.Workspaces))
	if k.Config.TokenFile != "" || k.Config.TokenEnv != "" || len(names) == 0 {
		names = append([]string{""}, names...)
	}
	for _, team := range names {
		if err := k.workspace(ctx, team); err != nil {
			return err
		}
	}
	for _, team := range slices.Sorted(maps.Keys(k.Needs.teams)) {
		if _, known := k.Config.Workspaces[team]; !known && !slices.Contains(k.answer.Workspaces, team) {
			k.find("workspace "+team, "add its bot token to slack.workspaces", "it is not configured, but named by %s", k.Needs.teams[team])
		}
	}
	return nil
}

func (k *checker) workspace(ctx context.Context, team string) error {
	field := "slack.tokenFile"
	if team != "" {
		field = "slack.workspaces." + team
	}
	api, _ := k.Workspaces.Client(team) // none is the only error of those that are configured
	if api == nil {
		k.find("workspace", "set "+field+" to the bot token (app settings: OAuth & Permissions)", "no bot token is configured, so that nothing can be posted")
		return nil
	}
	who, err := api.AuthTestContext(ctx)
	var refused slackgo.SlackErrorResponse
	switch {
	case errors.As(err, &refused):
		k.find(field, "install the app again, and store its bot token (app settings: OAuth & Permissions)", "Slack refuses the token: %s", refused.Err)
		return nil
	case err != nil:
		return fmt.Errorf("ask which workspace %s is of: %w", field, err)
	}
	if team != "" && who.TeamID != team {
		k.find(field, "write the token under its own workspace", "the token is of workspace %s (%s)", who.TeamID, who.Team)
	}
	o := &office{api: api, team: who.TeamID, name: who.URL, app: who.User}
	for scope := range strings.SplitSeq(who.Header.Get("X-OAuth-Scopes"), ",") {
		o.scopes = append(o.scopes, strings.TrimSpace(scope))
	}
	k.offices[team], k.offices[who.TeamID] = o, o
	k.answer.Workspaces = append(k.answer.Workspaces, who.TeamID)
	for _, scope := range k.Needs.Scopes() {
		if !o.may(scope) {
			k.find("workspace "+o.team, "add it (app settings: OAuth & Permissions), and install the app again in "+o.name,
				"the app lacks the scope %s, for %s", scope, k.Needs.scopes[scope])
		}
	}
	return nil
}

// office is where a place is; nil where nobody can be asked, which is a finding already.
func (k *checker) office(p Place) *office { return k.offices[p.Team] }

// patiently calls again when Slack asks for a pause.
func patiently(ctx context.Context, call func() error) error {
	for {
		err := call()
		var limited *slackgo.RateLimitedError
		if !errors.As(err, &limited) {
			return err
		}
		select {
		case <-time.After(limited.RetryAfter):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
