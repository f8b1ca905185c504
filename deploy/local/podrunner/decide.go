// Package podrunner plays the kubelet for the pods of workflows: no container
// runs, but every pod starts, lasts, ends and reports as it says itself.
//
// # What a pod may say
//
// By annotation, or by a variable of its main container, whose value may come
// from Argo's parameter substitution:
//
//	local.argo-bridge.dev/exit-code  LOCAL_EXIT_CODE  0 to 255; 0 unless said
//	local.argo-bridge.dev/message    LOCAL_MESSAGE    the main container's last words
//	local.argo-bridge.dev/duration   LOCAL_DURATION   a Go duration; 0 unless said
//	local.argo-bridge.dev/outputs    LOCAL_OUTPUTS    JSON object: output parameter → value
//	local.argo-bridge.dev/result     LOCAL_RESULT     standard output of a script
//
// A pod that says something unreadable fails, with a message that names the
// place. An output parameter that is declared but not said has its default, or
// is empty.
package podrunner

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/argoproj/argo-workflows/v3/workflow/common"
	corev1 "k8s.io/api/core/v1"
)

// forever is how long the pod of a daemon template runs unless it says.
const forever = 365 * 24 * time.Hour

// SignalAnnotation holds the number of a signal that the pod's containers are
// to get; see [NewExecTransport].
const SignalAnnotation = AnnotationPrefix + "signal"

// Decision is how a pod runs and ends.
type Decision struct {
	ExitCode int32
	// Message is the main container's termination message.
	Message string
	// Duration is how long the pod runs before it ends.
	Duration time.Duration
	// Outputs are values of output parameters by name.
	Outputs map[string]string
	// Result is the standard output, where the template asks for it.
	Result string
	// Fault is why the pod cannot run at all; empty if it can.
	Fault string
}

// faultExitCode is what Argo's own executor ends with on a fault of its own.
const faultExitCode = 64

// Decide reads what the pod says. It never fails: a pod that cannot be read
// gets a decision with a Fault that names all that is wrong.
func Decide(pod *corev1.Pod) Decision {
	if pod.Labels[common.LabelKeyComponent] == "agent" {
		return fault(errors.New("the local cluster runs no HTTP and no plugin templates"))
	}
	if number := pod.Annotations[SignalAnnotation]; number != "" {
		return killed(number)
	}
	if pod.DeletionTimestamp != nil {
		return killed("15")
	}
	code, codeErr := exitCode(pod)
	lasts, durationErr := duration(pod)
	values, outputsErr := outputs(pod)
	if err := errors.Join(codeErr, durationErr, outputsErr); err != nil {
		return fault(err)
	}
	if lasts == 0 && templateOf(pod).IsDaemon() {
		lasts = forever
	}
	message, _ := settingMessage.value(pod)
	result, _ := settingResult.value(pod)
	d := Decision{ExitCode: code, Message: message, Duration: lasts, Outputs: values, Result: result}
	return d.before(pod.Spec.ActiveDeadlineSeconds)
}

// before ends a pod that would run past its deadline there, in the kubelet's
// words.
func (d Decision) before(seconds *int64) Decision {
	if seconds == nil {
		return d
	}
	deadline := time.Duration(*seconds) * time.Second
	if d.Duration <= deadline {
		return d
	}
	late := fault(errors.New("Pod was active on the node longer than the specified deadline"))
	late.Duration, late.ExitCode = deadline, 128+9
	return late
}

func fault(err error) Decision {
	return Decision{ExitCode: faultExitCode, Fault: err.Error()}
}

// killed is the end of a pod by a signal: 128 plus its number, as in a shell.
func killed(number string) Decision {
	signal, err := strconv.ParseUint(number, 10, 6)
	if err != nil {
		return fault(fmt.Errorf("annotation %s: %q is not the number of a signal", SignalAnnotation, number))
	}
	return Decision{ExitCode: 128 + int32(signal), Message: fmt.Sprintf("ended by signal %d", signal)}
}
