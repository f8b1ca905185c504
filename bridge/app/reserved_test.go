package app

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/workflow"
	"github.com/argo-bridge/argo-bridge/bridge"
)

func TestWhatTheBridgesOwnSourcesMakeIsReserved(t *testing.T) {
	t.Parallel()
	push := []byte(`{"ref":"refs/heads/main","repository":{"full_name":"a/b","url":"https://github.com/a/b"}}`)
	object := map[string]string{"bucketId": "b", "objectId": "o", "objectGeneration": "1", "eventType": "OBJECT_FINALIZE"}
	command := url.Values{"command": {"/run"}, "trigger_id": {"1"}, "team_id": {"T1"}, "channel_id": {"C1"}, "user_id": {"U1"}}
	ended := bridge.Run{Namespace: "n", Name: "w", UID: "u", Phase: "Succeeded"}
	for name, translate := range map[string]func() (bridge.Event, error){
		"github":   func() (bridge.Event, error) { return github.Translate("push", "1", push) },
		"gcs":      func() (bridge.Event, error) { return gcs.Translate(object, nil, time.Now()) },
		"slack":    func() (bridge.Event, error) { return slack.TranslateCommand([]byte(command.Encode()), time.Now()) },
		"workflow": func() (bridge.Event, error) { return workflow.Translate(ended, bridge.Succeeded, nil) },
	} {
		e, err := translate()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		begins := func(value string) func(string) bool {
			return func(prefix string) bool { return strings.HasPrefix(value, prefix) }
		}
		if !slices.ContainsFunc(reserved().Types, begins(e.Type)) || !slices.ContainsFunc(reserved().Sources, begins(e.Source)) {
			t.Errorf("%s: anybody may send the type %s from %s", name, e.Type, e.Source)
		}
	}
}
