package checks

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/google/go-github/v60/github"
	"go.uber.org/zap"

	adapter "github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// CancelIdentifier is that of the button by which somebody stops a run: the webhook's requested_action.identifier.
const CancelIdentifier = "cancel"

// deniedFor is how long no check run is tried in a repository where the App may not write any.
const deniedFor = time.Hour

// checkRequest creates or updates a check run. Unlike go-github's, it can take the buttons away.
type checkRequest struct {
	Name        string                   `json:"name,omitempty"`
	HeadSHA     string                   `json:"head_sha,omitempty"`
	ExternalID  string                   `json:"external_id,omitempty"`
	DetailsURL  string                   `json:"details_url,omitempty"`
	Status      string                   `json:"status,omitempty"`
	Conclusion  string                   `json:"conclusion,omitempty"`
	StartedAt   *github.Timestamp        `json:"started_at,omitempty"`
	CompletedAt *github.Timestamp        `json:"completed_at,omitempty"`
	Output      *github.CheckRunOutput   `json:"output"`
	Actions     []*github.CheckRunAction `json:"actions,omitzero"`
}

// A check writes the check run of one event and rule, or, where the App may not, a commit status.
type check struct {
	*Notifier
	entry      string
	externalID string
	template   bridge.Template
}

func (n *Notifier) checkDelivery(m bridge.Notification, a adapter.Address) (*delivery, error) {
	if err := needCommit(m, a); err != nil {
		return nil, err
	}
	r, s, err := newReport(m, a)
	if err != nil {
		return nil, err
	}
	c := &check{Notifier: n, entry: "check." + bridge.Digest(m.Subject), externalID: m.Subject, template: m.Run.Template}
	return &delivery{
		key: m.Key, entry: c.entry, order: orderOf(m, s), want: r, put: c.put,
	}, nil
}

// put updates the check run, or creates it.
func (c *check) put(ctx context.Context, at place, e *entry, doubt bool) (id int64, err error) {
	var r report
	if err := json.Unmarshal(e.Want, &r); err != nil {
		return 0, bridge.Permanent(err)
	}
	if c.isDenied(at.address) {
		return 0, putStatus(ctx, at, r)
	}
	id, err = c.write(ctx, at, r, e.ID, doubt)
	if isForbidden(err) {
		c.deny(at.address, err)
		return 0, putStatus(ctx, at, r)
	}
	if err == nil && len(r.Annotations) > 0 {
		err = c.annotate(ctx, at, id, r)
	}
	return id, err
}

func (c *check) write(ctx context.Context, at place, r report, id int64, doubt bool) (int64, error) {
	// The first that is heard of a run is that it is queued. Where it is not, the Register may have lost the rest.
	if id == 0 && (doubt || r.Status != "queued") {
		var err error
		if id, err = c.find(ctx, at, r.Name); err != nil {
			return 0, err
		}
	}
	request := c.request(r)
	if id == 0 {
		request.HeadSHA = at.address.Commit
		return send(ctx, at, "POST", "check-runs", request)
	}
	return send(ctx, at, "PATCH", "check-runs/"+strconv.FormatInt(id, 10), request)
}

func (c *check) request(r report) checkRequest {
	q := checkRequest{
		Name: r.Name, ExternalID: c.externalID, DetailsURL: r.Link, Status: r.Status, Conclusion: r.Conclusion,
		Output:  &github.CheckRunOutput{Title: &r.Title, Summary: &r.Summary},
		Actions: []*github.CheckRunAction{},
	}
	if !r.Started.IsZero() {
		q.StartedAt = &github.Timestamp{Time: r.Started}
	}
	if r.Status == "completed" {
		q.CompletedAt = &github.Timestamp{Time: r.Completed}
		return q
	}
	q.Actions = []*github.CheckRunAction{{Label: "Cancel", Description: "Stop this run of " + cutCharacters(c.template.Name, 21), Identifier: CancelIdentifier}}
	return q
}

// send makes a request of the repository about check runs, and returns the check run's id.
func send(ctx context.Context, at place, method, path string, body any) (int64, error) {
	request, err := at.client.NewRequest(method, fmt.Sprintf("repos/%s/%s/%s", at.owner, at.repo, path), body)
	if err != nil {
		return 0, bridge.Permanent(err)
	}
	var run github.CheckRun
	_, err = at.client.Do(ctx, request, &run)
	if err != nil {
		return 0, err
	}
	return run.GetID(), nil
}

// find looks for the check run on the commit, since its creation is in doubt; 0: it is not there.
func (c *check) find(ctx context.Context, at place, name string) (int64, error) {
	options := &github.ListCheckRunsOptions{
		CheckName: &name, AppID: &c.AppID, Filter: github.String("all"), ListOptions: github.ListOptions{PerPage: 100},
	}
	for {
		page, response, err := at.client.Checks.ListCheckRunsForRef(ctx, at.owner, at.repo, at.address.Commit, options)
		if err != nil {
			return 0, err
		}
		for _, run := range page.CheckRuns {
			if run.GetExternalID() == c.externalID {
				return run.GetID(), nil
			}
		}
		if options.Page = response.NextPage; options.Page == 0 {
			return 0, nil
		}
	}
}

// isDenied says whether the App may not write check runs in the repository, as far as is known.
func (n *Notifier) isDenied(a adapter.Address) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.Now().Before(n.denied[deniedKey(a)])
}

// deny remembers that the App may not write check runs in the repository, and says so.
func (n *Notifier) deny(a adapter.Address, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now := n.Now(); !now.Before(n.denied[deniedKey(a)]) {
		n.denied[deniedKey(a)] = now.Add(deniedFor)
		n.Log.Warn("the App may not write check runs there; commit statuses stand in for them: grant it checks: write",
			zap.Int64("installation", a.Installation), zap.String("repository", a.Repository), zap.Error(err))
	}
}

func deniedKey(a adapter.Address) string {
	return strconv.FormatInt(a.Installation, 10) + "/" + a.Repository
}
