package api

import (
	"cmp"
	"context"
	"fmt"
	"regexp"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/tidwall/gjson"
)

// commitID is what may stand in an address of the API.
var commitID = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// commit reads the message of the event's head commit, which may say that nothing is to run.
func (a *Answers) commit(ctx context.Context, e bridge.Event, f *bridge.Facts) error {
	sha := cmp.Or(f.Commit, gjson.GetBytes(e.Data, "pull_request.head.sha").String())
	if !commitID.MatchString(sha) {
		return bridge.Permanent(fmt.Errorf("the event has no head commit, but %q", sha))
	}
	r, err := a.at(ctx, f)
	if err != nil {
		return err
	}
	why, err := a.messages.recall(ctx, r.String()+"@"+sha, func(ctx context.Context) (string, error) {
		// The commit as git has it: the other form lists all of its files.
		c, _, err := r.Git.GetCommit(ctx, r.owner, r.name, sha)
		return github.SkipsCI(c.GetMessage()), github.Classify(err)
	})
	if err != nil {
		return err
	}
	f.Skip = cmp.Or(f.Skip, why)
	return nil
}
