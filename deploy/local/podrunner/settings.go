package podrunner

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// AnnotationPrefix begins every annotation that the pod runner reads.
const AnnotationPrefix = "local.argo-bridge.dev/"

// setting is one thing that a pod says about its run. The annotation wins over
// the variable.
type setting string

// The settings of a pod: annotation local.argo-bridge.dev/<name>, or variable
// LOCAL_<NAME> of the main container.
const (
	settingExitCode setting = "exit-code"
	settingMessage  setting = "message"
	settingDuration setting = "duration"
	settingOutputs  setting = "outputs"
	settingResult   setting = "result"
)

func (s setting) annotation() string { return AnnotationPrefix + string(s) }

func (s setting) variable() string {
	return "LOCAL_" + strings.ToUpper(strings.ReplaceAll(string(s), "-", "_"))
}

// value returns what the pod says and where it says so. Empty is unset: Argo
// puts an empty string where a parameter without value stood.
func (s setting) value(pod *corev1.Pod) (value, place string) {
	if v := pod.Annotations[s.annotation()]; v != "" {
		return v, "annotation " + s.annotation()
	}
	return variable(mainContainer(pod), s.variable()), "variable " + s.variable()
}

// mainContainer is the container named main, else the first that is not Argo's
// own, as in a container set. A pod has at least one container.
func mainContainer(pod *corev1.Pod) *corev1.Container {
	var first *corev1.Container
	for i := range pod.Spec.Containers {
		container := &pod.Spec.Containers[i]
		if container.Name == "main" {
			return container
		}
		if first == nil && container.Name != "wait" {
			first = container
		}
	}
	return cmp.Or(first, &pod.Spec.Containers[0])
}

func variable(container *corev1.Container, name string) string {
	for _, v := range container.Env {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

func exitCode(pod *corev1.Pod) (int32, error) {
	value, place := settingExitCode.value(pod)
	if value == "" {
		return 0, nil
	}
	code, err := strconv.ParseUint(value, 10, 8)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is not an exit code from 0 to 255", place, value)
	}
	return int32(code), nil
}

func duration(pod *corev1.Pod) (time.Duration, error) {
	value, place := settingDuration.value(pod)
	if value == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s: %q is not a duration such as 1.5s", place, value)
	}
	return d, nil
}

// outputs reads a JSON object; values that are not strings stay JSON.
func outputs(pod *corev1.Pod) (map[string]string, error) {
	value, place := settingOutputs.value(pod)
	if value == "" {
		return nil, nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(value), &raw); err != nil {
		return nil, fmt.Errorf("%s: %q is not a JSON object of output parameters", place, value)
	}
	values := make(map[string]string, len(raw))
	for name, v := range raw {
		var text string
		if json.Unmarshal(v, &text) != nil {
			text = string(v)
		}
		values[name] = text
	}
	return values, nil
}
