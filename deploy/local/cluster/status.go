package cluster

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
)

// Status is what a cluster looks like now. Its JSON form is read by scripts.
type Status struct {
	Running    bool              `json:"running"`
	Dir        string            `json:"dir"`
	APIServer  string            `json:"apiserver"`
	ArgoServer string            `json:"argoServer"`
	Kubeconfig string            `json:"kubeconfig"`
	Components []ComponentStatus `json:"components"`
}

// ComponentStatus is what one component looks like now.
type ComponentStatus struct {
	Name string `json:"name"`
	// PID is 0 if the component does not run.
	PID        int    `json:"pid"`
	URL        string `json:"url"`
	Ready      bool   `json:"ready"`
	ResidentMB int    `json:"residentMB"`
	Log        string `json:"log"`
}

// Inspect looks at the cluster in d. One that never existed is not running.
// Components are those of the last up and what else runs; Running means that
// all of them are ready.
func Inspect(ctx context.Context, d Dir) (*Status, error) {
	state, err := LoadState(d)
	if errors.Is(err, fs.ErrNotExist) {
		return &Status{Dir: string(d), Components: []ComponentStatus{}}, nil
	}
	if err != nil {
		return nil, err
	}
	status := &Status{
		Running: true, Dir: string(d), Kubeconfig: state.Kubeconfig,
		APIServer: state.URL(APIServer), ArgoServer: state.URL(ArgoServer),
	}
	shown := slices.DeleteFunc(Components(), func(name string) bool {
		_, err := loadRecord(d, name)
		return err != nil && !slices.Contains(state.Components, name)
	})
	status.Components = make([]ComponentStatus, len(shown))
	var wg sync.WaitGroup
	for i, component := range shown {
		wg.Go(func() { status.Components[i] = inspect(ctx, d, state, component) })
	}
	wg.Wait()
	for _, c := range status.Components {
		status.Running = status.Running && c.Ready
	}
	return status, nil
}

func inspect(ctx context.Context, d Dir, s *State, component string) ComponentStatus {
	status := ComponentStatus{Name: component, URL: s.URL(component), Log: d.Log(component)}
	r, err := loadRecord(d, component)
	if err != nil {
		return status
	}
	status.PID, status.ResidentMB = r.PID, residentMB(r.PID)
	status.Ready = checkReady(ctx, s, component) == nil
	return status
}
