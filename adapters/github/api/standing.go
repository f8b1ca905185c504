package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/github"
)

// How many of GitHub's words on people are remembered, and for how long: a burst of events costs one question, and
// whoever loses a right has lost it soon.
const (
	keptStandings = 2000
	keepGood      = 30 * time.Second
	keepBad       = 10 * time.Second
)

// ranks are the roles of a repository, each with all rights of those before it:
// https://docs.github.com/en/organizations/managing-user-access-to-your-organizations-repositories/managing-repository-roles/repository-roles-for-an-organization
var ranks = []string{"read", "triage", "write", "maintain", "admin"}

// A standing is GitHub's word on somebody: membership of a team, or what they may do in a repository.
type standing struct {
	member bool
	// role is the name of the role, custom ones included, and permission the nearest of read, write and admin below it.
	role, permission string
}

// keep is for how long the word holds.
func (s standing) keep() time.Duration {
	if s.member || s.atLeast(defaultPermission) {
		return keepGood
	}
	return keepBad
}

// atLeast says whether the role has all rights of the wanted one. Of a custom role, which has the rights of a known one
// and more, only the permission below it counts.
func (s standing) atLeast(wanted string) bool {
	need, has := slices.Index(ranks, wanted), slices.Index(ranks, s.role)
	if has < 0 {
		has = slices.Index(ranks, s.permission)
	}
	return need >= 0 && has >= need
}

// String is the role for people.
func (s standing) String() string {
	switch {
	case s.role != "" && s.role != "none":
		return s.role
	case s.permission != "" && s.permission != "none":
		return s.permission
	}
	return "no"
}

// permission asks what somebody may do in a repository. go-github lacks the name of the role:
// https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
func (a *Answers) permission(ctx context.Context, r repository, who string) (standing, error) {
	key := fmt.Sprintf("permission %d %s %s", r.address.Installation, r, who)
	return a.standings.recall(ctx, strings.ToLower(key), func(ctx context.Context) (standing, error) {
		request, err := r.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/collaborators/%s/permission", r.owner, r.name, who), nil)
		if err != nil {
			return standing{}, err
		}
		var answer struct {
			Permission string `json:"permission"`
			RoleName   string `json:"role_name"`
		}
		_, err = r.Do(ctx, request, &answer)
		if notFound(err) {
			return standing{}, nil // GitHub knows nobody of that name
		}
		if err != nil {
			return standing{}, github.Classify(fmt.Errorf("ask for the permission of %s in %s: %w", who, r, err))
		}
		return standing{role: answer.RoleName, permission: answer.Permission}, nil
	})
}
