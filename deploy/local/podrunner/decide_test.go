package podrunner

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// newPod is a pod as Argo makes it, with variables of main and annotations.
func newPod(variables, annotations map[string]string) *corev1.Pod {
	main := corev1.Container{Name: "main", Image: "example/main"}
	for name, value := range variables {
		main.Env = append(main.Env, corev1.EnvVar{Name: name, Value: value})
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "pod", Namespace: "argo", UID: "1", Annotations: annotations,
			Labels: map[string]string{"workflows.argoproj.io/workflow": "wf"},
		},
		Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{{Name: "init"}},
			Containers:     []corev1.Container{{Name: "wait"}, main},
		},
	}
}

func TestDecide(t *testing.T) {
	tests := map[string]struct {
		variables, annotations map[string]string
		change                 func(*corev1.Pod)
		want                   Decision
	}{
		"a pod that says nothing succeeds at once": {},
		"an annotation wins over the variable": {
			annotations: map[string]string{"local.argo-bridge.dev/exit-code": "2"},
			variables:   map[string]string{"LOCAL_EXIT_CODE": "3", "LOCAL_MESSAGE": "no such table"},
			want:        Decision{ExitCode: 2, Message: "no such table"},
		},
		"an empty value is unset": {
			variables: map[string]string{"LOCAL_EXIT_CODE": "", "LOCAL_DURATION": "", "LOCAL_OUTPUTS": ""},
		},
		"outputs that are not strings stay JSON": {
			variables: map[string]string{"LOCAL_OUTPUTS": `{"rows": 42, "name": "a", "list": [1]}`, "LOCAL_RESULT": "done"},
			want:      Decision{Outputs: map[string]string{"rows": "42", "name": "a", "list": "[1]"}, Result: "done"},
		},
		"a bad exit code names its variable": {
			variables: map[string]string{"LOCAL_EXIT_CODE": "{{inputs.parameters.code}}"},
			want: Decision{ExitCode: 64, Fault: `variable LOCAL_EXIT_CODE: "{{inputs.parameters.code}}"` +
				" is not an exit code from 0 to 255"},
		},
		"an exit code over 255 is bad": {
			annotations: map[string]string{"local.argo-bridge.dev/exit-code": "256"},
			want: Decision{ExitCode: 64, Fault: `annotation local.argo-bridge.dev/exit-code: "256"` +
				" is not an exit code from 0 to 255"},
		},
		"all faults are named": {
			annotations: map[string]string{
				"local.argo-bridge.dev/duration": "-1s", "local.argo-bridge.dev/outputs": "[]",
			},
			want: Decision{ExitCode: 64, Fault: `annotation local.argo-bridge.dev/duration: "-1s" is not a duration such as 1.5s` +
				"\n" + `annotation local.argo-bridge.dev/outputs: "[]" is not a JSON object of output parameters`},
		},
		"a signal ends a pod with 128 and its number": {
			variables:   map[string]string{"LOCAL_DURATION": "1h"},
			annotations: map[string]string{SignalAnnotation: "15"},
			want:        Decision{ExitCode: 143, Message: "ended by signal 15"},
		},
		"a pod that is being deleted ends": {
			variables: map[string]string{"LOCAL_DURATION": "1h"},
			change:    func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} },
			want:      Decision{ExitCode: 143, Message: "ended by signal 15"},
		},
		"a pod ends at its deadline": {
			variables: map[string]string{"LOCAL_DURATION": "1h"},
			change:    func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = ptr.To[int64](3) },
			want: Decision{ExitCode: 137, Duration: 3 * time.Second,
				Fault: "Pod was active on the node longer than the specified deadline"},
		},
		"a daemon runs until it is told to stop": {
			change: func(p *corev1.Pod) {
				p.Spec.InitContainers[0].Env = []corev1.EnvVar{{Name: "ARGO_TEMPLATE", Value: `{"daemon": true}`}}
			},
			want: Decision{Duration: forever},
		},
		"an agent of HTTP templates fails": {
			change: func(p *corev1.Pod) { p.Labels["workflows.argoproj.io/component"] = "agent" },
			want:   Decision{ExitCode: 64, Fault: "the local cluster runs no HTTP and no plugin templates"},
		},
		"the first own container of a container set speaks for it": {
			change: func(p *corev1.Pod) {
				p.Spec.Containers[1].Name = "step-a"
				p.Spec.Containers[1].Env = []corev1.EnvVar{{Name: "LOCAL_EXIT_CODE", Value: "9"}}
			},
			want: Decision{ExitCode: 9},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			pod := newPod(test.variables, test.annotations)
			if test.change != nil {
				test.change(pod)
			}
			if diff := cmp.Diff(test.want, Decide(pod)); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
		})
	}
}
