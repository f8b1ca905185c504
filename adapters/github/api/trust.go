package api

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// defaultPermission is what somebody must be allowed where a trust names nobody: they could push the code themselves.
const defaultPermission = "write"

// login and teamSlug are what may stand in an address of the API; a login of managed users has an underscore.
var (
	login    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
	teamSlug = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}$`)
)

// Trusted says whether somebody is trusted: by name, as a member of a team, or by a permission in the event's repository,
// whichever comes first. GitHub's yes holds for half a minute, its no for ten seconds. A bot is trusted by name only,
// since whoever it obeys is not known. Where GitHub refuses to say, the answer is no, with what to do about it; errors
// are to be tried again.
func (a *Answers) Trusted(ctx context.Context, _ bridge.Event, f bridge.Facts, who string, t *bridge.Trust) (bool, string, error) {
	trust := a.options.Trust
	if t != nil {
		trust = *t
	}
	switch {
	case trust.Anyone:
		return true, "anybody is trusted", nil
	case who == "":
		return false, "nobody knows who it is", nil
	case slices.ContainsFunc(trust.Users, func(u string) bool { return strings.EqualFold(u, who) }):
		return true, who + " is one of the trusted users", nil
	case strings.HasSuffix(who, "[bot]"):
		return false, who + " is a bot, and not one of the trusted users", nil
	case !login.MatchString(who):
		return false, fmt.Sprintf("%q is no login of GitHub", who), nil
	}
	if trust.Permission == "" && len(trust.Teams) == 0 && len(trust.Users) == 0 {
		trust.Permission = defaultPermission
	}
	if trust.Permission == "" && len(trust.Teams) == 0 {
		return false, who + " is not one of the trusted users", nil
	}
	ok, detail, err := a.vouched(ctx, &f, who, trust)
	if bridge.IsPermanent(err) {
		return false, fmt.Sprintf("whether %s is trusted cannot be found out: %v", who, err), nil
	}
	return ok, detail, err
}

// vouched asks GitHub for teams and permission. What one question cannot tell another may.
func (a *Answers) vouched(ctx context.Context, f *bridge.Facts, who string, trust bridge.Trust) (bool, string, error) {
	r, err := a.at(ctx, f)
	if err != nil {
		return false, "", err
	}
	var refused []error
	for _, team := range trust.Teams {
		member, err := a.member(ctx, r, who, team)
		switch {
		case err != nil && !bridge.IsPermanent(err):
			return false, "", err
		case err != nil:
			refused = append(refused, err)
		case member:
			return true, fmt.Sprintf("%s is in the team %s", who, team), nil
		}
	}
	detail := ""
	if trust.Permission != "" {
		has, err := a.permission(ctx, r, who)
		switch {
		case err != nil && !bridge.IsPermanent(err):
			return false, "", err
		case err != nil:
			refused = append(refused, err)
		case has.atLeast(trust.Permission):
			return true, fmt.Sprintf("%s has %s permission in %s", who, has, r), nil
		default:
			detail = fmt.Sprintf("%s has %s permission in %s, not %s", who, has, r, trust.Permission)
		}
	}
	return false, because(who, detail, trust), bridge.Permanent(errors.Join(refused...))
}

func because(who, detail string, trust bridge.Trust) string {
	if len(trust.Teams) == 0 {
		return detail
	}
	in := fmt.Sprintf("is in none of the teams %s", strings.Join(trust.Teams, ", "))
	if detail == "" {
		return who + " " + in
	}
	return detail + ", and " + in
}

// member says whether somebody is in a team: organization/team, or a team of the repository's owner. The App sees teams of
// the organization that it is installed on alone.
func (a *Answers) member(ctx context.Context, r repository, who, team string) (bool, error) {
	organization, slug, ok := strings.Cut(strings.TrimPrefix(team, "@"), "/")
	if !ok {
		organization, slug = r.owner, organization
	}
	if !login.MatchString(organization) || !teamSlug.MatchString(slug) {
		return false, bridge.Permanent(fmt.Errorf("%q is no team such as acme/deployers", team))
	}
	key := fmt.Sprintf("member %d %s/%s %s", r.address.Installation, organization, slug, who)
	s, err := a.standings.recall(ctx, strings.ToLower(key), func(ctx context.Context) (standing, error) {
		m, _, err := r.Teams.GetTeamMembershipBySlug(ctx, organization, slug, who)
		if notFound(err) {
			return standing{}, nil
		}
		if err != nil {
			return standing{}, github.Classify(fmt.Errorf("ask for the members of the team %s: %w", team, err))
		}
		return standing{member: m.GetState() == "active"}, nil
	})
	return s.member, err
}
