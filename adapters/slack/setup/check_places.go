package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	slackgo "github.com/slack-go/slack"
)

// byPlace sorts what is needed, so that the findings' order is always the same.
func byPlace(m map[Place]string) []Place {
	return slices.SortedFunc(maps.Keys(m), func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Team, b.Team), cmp.Compare(a.Name, b.Name))
	})
}

// channels looks for each channel: whether it is there, open, and the app in it.
func (k *checker) channels(ctx context.Context) error {
	seen := map[*office][]slackgo.Channel{}
	for _, p := range byPlace(k.Needs.channels) {
		k.answer.Channels = append(k.answer.Channels, p.String())
		o := k.office(p)
		if o == nil || !o.may("channels:read") {
			continue
		}
		if _, ok := seen[o]; !ok {
			all, err := o.channels(ctx)
			if err != nil {
				return fmt.Errorf("list the channels of %s: %w", o.team, err)
			}
			seen[o] = all
		}
		k.channel(p, o, seen[o])
	}
	return nil
}

func (k *checker) channel(p Place, o *office, all []slackgo.Channel) {
	subject, who := "channel "+p.String(), k.Needs.channels[p]
	i := slices.IndexFunc(all, func(c slackgo.Channel) bool { return c.ID == p.Name || "#"+c.Name == p.Name })
	switch {
	case i < 0 && !o.may("groups:read"):
		k.find(subject, "make it, or if it is private add the scope groups:read, and /invite @"+o.app+" there", "it is no public channel of %s, for %s", o.name, who)
	case i < 0:
		k.find(subject, "make it, or if it is private /invite @"+o.app+" there", "it does not exist in %s, or is private and the app is not in it, for %s", o.name, who)
	case all[i].IsArchived:
		k.find(subject, "unarchive it, or name another one", "it is archived, for %s", who)
	case !all[i].IsMember:
		k.find(subject, "in the channel: /invite @"+o.app, "the app is not in it, for %s", who)
	}
}

// channels are all that the app can see.
func (o *office) channels(ctx context.Context) (all []slackgo.Channel, err error) {
	params := slackgo.GetConversationsParameters{Types: []string{"public_channel"}, Limit: 1000}
	if o.may("groups:read") {
		params.Types = append(params.Types, "private_channel")
	}
	for {
		var page []slackgo.Channel
		var next string
		err := patiently(ctx, func() (err error) {
			page, next, err = o.api.GetConversationsContext(ctx, &params)
			return err
		})
		if err != nil {
			return nil, err
		}
		if all = append(all, page...); next == "" {
			return all, nil
		}
		params.Cursor = next
	}
}

// groups looks for each user group, or for a user of that name, whom a mention may mean as well.
func (k *checker) groups(ctx context.Context) error {
	for _, p := range byPlace(k.Needs.groups) {
		k.answer.Groups = append(k.answer.Groups, p.String())
		o := k.office(p)
		if o == nil || !o.may("usergroups:read") {
			continue
		}
		var all []slackgo.UserGroup
		err := patiently(ctx, func() (err error) {
			all, err = o.api.GetUserGroupsContext(ctx, slackgo.GetUserGroupsOptionIncludeDisabled(true))
			return err
		})
		if err != nil {
			return fmt.Errorf("list the user groups of %s: %w", o.team, err)
		}
		i := slices.IndexFunc(all, func(g slackgo.UserGroup) bool { return g.ID == p.Name || strings.EqualFold("@"+g.Handle, p.Name) })
		subject, who := "user group "+p.String(), k.Needs.groups[p]
		switch {
		case i >= 0 && all[i].DateDelete > 0:
			k.find(subject, "enable it, or name another one", "it is disabled, for %s", who)
		case i < 0:
			if err := k.named(ctx, o, p, subject, "make the group, or name a person by their id", who); err != nil {
				return err
			}
		}
	}
	return nil
}

// people looks for those to whom messages go.
func (k *checker) people(ctx context.Context) error {
	for _, p := range byPlace(k.Needs.people) {
		o := k.office(p)
		if o == nil || !o.may("users:read") {
			continue
		}
		if err := k.named(ctx, o, p, "user "+p.String(), "name somebody by their id: profile, Copy member ID", k.Needs.people[p]); err != nil {
			return err
		}
	}
	return nil
}

// named looks for a person by id or name.
func (k *checker) named(ctx context.Context, o *office, p Place, subject, remedy, who string) error {
	found, err := o.person(ctx, p.Name)
	switch {
	case err != nil:
		return fmt.Errorf("look for %s in %s: %w", p.Name, o.team, err)
	case found == nil:
		k.find(subject, remedy, "there is none in %s, for %s", o.name, who)
	case found.Deleted:
		k.find(subject, remedy, "the account is deactivated, for %s", who)
	}
	return nil
}

// person finds a user by the id, or by the name or display name behind the @; nil if there is none.
func (o *office) person(ctx context.Context, name string) (*slackgo.User, error) {
	if !o.may("users:read") {
		return &slackgo.User{}, nil // cannot be told; the scope is a finding
	}
	bare, byName := strings.CutPrefix(name, "@")
	if !byName {
		var found *slackgo.User
		err := patiently(ctx, func() (err error) {
			found, err = o.api.GetUserInfoContext(ctx, name, slackgo.GetUserInfoOptionIncludeLocale(false))
			return err
		})
		var refused slackgo.SlackErrorResponse
		if errors.As(err, &refused) && strings.HasPrefix(refused.Err, "user_not_") {
			return nil, nil
		}
		return found, err
	}
	all, err := o.api.GetUsersContext(ctx, slackgo.GetUsersOptionLimit(200), slackgo.GetUsersOptionIncludeLocale(false)) // waits when Slack asks for it
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(u slackgo.User) bool {
		return strings.EqualFold(u.Name, bare) || strings.EqualFold(u.Profile.DisplayName, bare)
	})
	if i < 0 {
		return nil, nil
	}
	return &all[i], nil
}
