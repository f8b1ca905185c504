package checks

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/go-github/v60/github"

	adapter "github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// A deploymentState is what a deployment status says.
type deploymentState struct {
	State          string `json:"state"`
	Description    string `json:"description"`
	LogURL         string `json:"logURL,omitempty"`
	EnvironmentURL string `json:"environmentURL,omitempty"`
}

// deploymentStates are the states by a run's result: https://docs.github.com/en/rest/deployments/statuses
var deploymentStates = map[result]string{succeeded: "success", failed: "failure", broken: "error", stopped: "inactive", skipped: "inactive"}

func (n *Notifier) deploymentDelivery(m bridge.Notification, a adapter.Address) (*delivery, error) {
	if m.Subject == "" || a.Deployment == 0 {
		return nil, errors.New("the event asks for no deployment")
	}
	s, err := stageOf(m)
	if err != nil {
		return nil, err
	}
	state := deploymentState{
		State: deploymentStates[resultOf(m, s)], Description: cutCharacters(join(": ", title(m, s), oneLine(m.Reason)), maxDescription),
		LogURL: webAddress(m.Link),
	}
	if m.Run.UID != "" { // before there is a run, its parameters are not known, of which the address may be made
		state.EnvironmentURL = webAddress(m.Options[OptionEnvironmentURL])
	}
	switch s {
	case stageHeld, stageQueued:
		state.State = "queued"
	case stageRunning:
		state.State = "in_progress"
	}
	return &delivery{
		key: m.Key, entry: "deployment." + bridge.Digest(m.Subject), order: orderOf(m, s), want: state, put: putDeployment,
	}, nil
}

// putDeployment adds a status to the deployment, unless that is the newest already.
func putDeployment(ctx context.Context, at place, e *entry, doubt bool) (int64, error) {
	var state deploymentState
	if err := json.Unmarshal(e.Want, &state); err != nil {
		return 0, bridge.Permanent(err)
	}
	if doubt {
		newest, _, err := at.client.Repositories.ListDeploymentStatuses(ctx, at.owner, at.repo, at.address.Deployment, &github.ListOptions{PerPage: 1})
		if err != nil || len(newest) > 0 && newest[0].GetState() == state.State && newest[0].GetDescription() == state.Description {
			return 0, err
		}
	}
	request := &github.DeploymentStatusRequest{State: &state.State, Description: &state.Description}
	if state.LogURL != "" {
		request.LogURL = &state.LogURL
	}
	if state.EnvironmentURL != "" {
		request.EnvironmentURL = &state.EnvironmentURL
	}
	_, _, err := at.client.Repositories.CreateDeploymentStatus(ctx, at.owner, at.repo, at.address.Deployment, request)
	return 0, err
}
