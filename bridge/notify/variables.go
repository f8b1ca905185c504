package notify

import (
	"encoding/json"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// variables are what a message may use: `workflow`, with the names of Argo's own exit handler
// variables, `parameters`, `event`, and, where a rule started the run, the event's own variables.
func variables(run bridge.Run, origin map[string]any) map[string]any {
	all := map[string]any{}
	for name, value := range origin {
		all[name] = value
	}
	parameters := map[string]any{}
	for _, p := range run.Parameters {
		parameters[p.Name] = p.Value
	}
	all["parameters"] = parameters
	if _, ok := all["event"]; !ok {
		all["event"] = map[string]any{
			"id": run.Annotations[bridge.AnnotationEventID], "type": run.Annotations[bridge.AnnotationEventType],
			"source": run.Annotations[bridge.AnnotationEventSource], "subject": run.Annotations[bridge.AnnotationEventSubject],
			"time": run.Annotations[bridge.AnnotationEventTime],
		}
	}
	failures, err := json.Marshal(run.Failures)
	if err != nil || run.Failures == nil {
		failures = []byte("[]")
	}
	all["workflow"] = map[string]any{
		"name": run.Name, "namespace": run.Namespace, "uid": run.UID,
		"status": run.Phase, "message": run.Message, "failures": string(failures),
		"duration":          run.Duration().Seconds(),
		"creationTimestamp": run.Created.Format(time.RFC3339),
		"parameters":        parameters, "template": run.Template.Name, "rule": run.Rule,
		"labels": anyMap(run.Labels), "annotations": anyMap(run.Annotations),
	}
	return all
}

func anyMap(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}
