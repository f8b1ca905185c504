package notify

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

// looks are layouts of tests.
type looks struct {
	BlocksFn func(namespace, from string, variables map[string]any) (string, error)
}

func (l looks) Blocks(_ context.Context, namespace, from string, variables map[string]any) (string, error) {
	return l.BlocksFn(namespace, from, variables)
}

func TestTheAuthorsLookIsRenderedWithTheRun(t *testing.T) {
	t.Parallel()
	from, err := expression.CompileText("looks/failed.json")
	if err != nil {
		t.Fatal(err)
	}
	wanted := route(bridge.Failed, alerts)
	wanted.Options = map[string]bridge.Text{bridge.OptionBlocksFrom: from}
	for name, tt := range map[string]struct {
		layouts Layouts
		want    map[string]string
	}{
		"as it is": {looks{func(namespace, from string, variables map[string]any) (string, error) {
			w, _ := variables["workflow"].(map[string]any)
			return namespace + " " + from + " " + w["name"].(string), nil
		}}, map[string]string{bridge.OptionBlocks: "team looks/failed.json load-1"}},
		"with a fault":          {looks{func(string, string, map[string]any) (string, error) { return "", errors.New("no ConfigMap") }}, map[string]string{bridge.OptionBlocksFault: "no ConfigMap"}},
		"where nothing is read": {nil, map[string]string{bridge.OptionBlocksFault: "this bridge reads no ConfigMaps"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, wanted)
			d.Layouts = tt.layouts
			report(t, d, ended("1", "Failed", 1))
			if len(d.queued) != 1 {
				t.Fatalf("%d notifications", len(d.queued))
			}
			for _, n := range d.queued {
				if diff := cmp.Diff(tt.want, n.Options); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}
