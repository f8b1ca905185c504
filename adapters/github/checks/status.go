package checks

import (
	"context"
	"encoding/json"

	"github.com/google/go-github/v60/github"

	adapter "github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
)

func (n *Notifier) statusDelivery(m bridge.Notification, a adapter.Address) (*delivery, error) {
	if err := needCommit(m, a); err != nil {
		return nil, err
	}
	r, s, err := newReport(m, a)
	if err != nil {
		return nil, err
	}
	r.Summary, r.Annotations = "", nil // a status shows neither
	return &delivery{
		key: m.Key, entry: "status." + bridge.Digest(m.Subject), order: orderOf(m, s), want: r,
		put: func(ctx context.Context, at place, e *entry, _ bool) (int64, error) {
			var r report
			if err := json.Unmarshal(e.Want, &r); err != nil {
				return 0, bridge.Permanent(err)
			}
			return 0, putStatus(ctx, at, r)
		},
	}, nil
}

// putStatus sets the status of the commit in the report's context; GitHub shows the one that was set last.
func putStatus(ctx context.Context, at place, r report) error {
	status := &github.RepoStatus{State: &r.State, Context: &r.Context, Description: &r.Description}
	if r.Link != "" {
		status.TargetURL = &r.Link
	}
	_, _, err := at.client.Repositories.CreateStatus(ctx, at.owner, at.repo, at.address.Commit, status)
	return err
}
