package slack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// QuestionGroups asks for the user groups that a user is in, by id and, in the default workspace, as @handle: the filter
// groups.
const QuestionGroups = "groups"

var _ bridge.Inquirer = (*Warden)(nil)

// asks is what the payload does not say and Slack can be asked for.
func (h happening) asks() map[string]string {
	if !userID.MatchString(h.user) || h.team == "" {
		return nil
	}
	return map[string]string{QuestionGroups: QuestionGroups}
}

// Supply implements bridge.Inquirer: it answers QuestionGroups. A guest of another workspace is in no group. The scope
// usergroups:read is needed.
func (w *Warden) Supply(ctx context.Context, _ bridge.Event, f bridge.Facts, questions []string) (bridge.Facts, error) {
	if !slices.Contains(questions, QuestionGroups) {
		return f, nil
	}
	groups, pinned := strings.CutPrefix(f.Pinned, QuestionGroups+" ")
	if !pinned {
		found, err := w.groupsWith(ctx, callerOf(f))
		if err != nil {
			return f, err
		}
		groups = strings.Join(found, " ")
		f.Pinned = QuestionGroups + " " + groups
	}
	f.Values, f.Asks = maps.Clone(f.Values), maps.Clone(f.Asks)
	f.Values["groups"] = strings.Fields(groups)
	delete(f.Asks, QuestionGroups)
	return f, nil
}

// Trusted implements bridge.Inquirer: Slack brings nobody's code.
func (w *Warden) Trusted(_ context.Context, _ bridge.Event, _ bridge.Facts, who string, _ *bridge.Trust) (bool, string, error) {
	return false, "nobody in Slack vouches for " + who, nil
}

// groupsWith are the groups that somebody is in.
func (w *Warden) groupsWith(ctx context.Context, who caller) ([]string, error) {
	client, err := w.clients.Client(who.team)
	if err != nil {
		return nil, err
	}
	if who.home != who.team {
		return nil, nil
	}
	standard, err := w.clients.Client("")
	named := err == nil && standard == client
	all, err := w.people.get(ctx, who.team, w.now, func() (map[string][]string, error) { return membersOfAll(ctx, client, named) })
	if err == nil {
		return all[who.user], nil
	}
	_, detail, err := refusal("the user groups cannot be read", err)
	if err == nil {
		err = bridge.Permanent(errors.New(detail))
	}
	return nil, err
}

// membersOfAll are the groups by user: https://docs.slack.dev/reference/methods/usergroups.list
func membersOfAll(ctx context.Context, client *slack.Client, named bool) (map[string][]string, error) {
	groups, err := client.GetUserGroupsContext(ctx, slack.GetUserGroupsOptionIncludeUsers(true))
	if err != nil {
		return nil, fmt.Errorf("list user groups: %w", err)
	}
	all := map[string][]string{}
	for _, g := range groups {
		if g.DateDelete != 0 {
			continue
		}
		for _, u := range g.Users {
			all[u] = append(all[u], g.ID)
			if named && g.Handle != "" {
				all[u] = append(all[u], "@"+g.Handle)
			}
		}
	}
	return all, nil
}
