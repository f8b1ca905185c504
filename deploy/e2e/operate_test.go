package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/kube"
	"github.com/argo-bridge/argo-bridge/bridge/operate"
)

// flakyTemplate fails in its second step until the ConfigMap says otherwise.
const flakyTemplate = `
metadata: {name: flaky}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: first, template: ok}
    - - {name: second, template: maybe}
  - name: ok
    container: {image: busybox, command: ["true"]}
  - name: maybe
    inputs:
      parameters:
      - name: code
        valueFrom: {configMapKeyRef: {name: codes, key: code}}
    container:
      image: busybox
      command: ["true"]
      env:
      - {name: LOCAL_EXIT_CODE, value: "{{inputs.parameters.code}}"}
      - {name: LOCAL_DURATION, value: 1100ms} # Kubernetes writes whole seconds: each attempt is to have its own
`

// gateTemplate waits for somebody who says what is to be deployed.
const gateTemplate = `
metadata: {name: gate}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: pause, template: short}
    - - {name: approve, template: ask}
    - - name: deploy
        template: deploy
        arguments: {parameters: [{name: what, value: "{{steps.approve.outputs.parameters.target}}/{{steps.approve.outputs.parameters.size}}"}]}
  - name: short
    suspend: {duration: "1"}
  - name: ask
    inputs:
      parameters:
      - {name: target, default: staging, enum: [staging, production], description: "Where to?"}
    suspend: {}
    outputs:
      parameters:
      - {name: target, valueFrom: {supplied: {}}}
      - {name: size, valueFrom: {supplied: {}, default: "3"}}
      - {name: reason, valueFrom: {supplied: {}}, globalName: reason}
  - name: deploy
    inputs: {parameters: [{name: what}]}
    container: {image: busybox, command: ["true"]}
`

// An office is an operator on a namespace with templates.
type office struct {
	*operate.Operator
	t  testing.TB
	c  *cluster
	ns string
	// cut fails the next writes of Workflows, as if the process had died before.
	cut atomic.Int32
}

func newOffice(t testing.TB, c *cluster, templates ...string) *office {
	t.Helper()
	o := &office{t: t, c: c, ns: c.newNamespace(t)}
	c.apply(t, o.ns, templates...)
	config := rest.CopyConfig(c.config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet && strings.Contains(r.URL.Path, "/workflows") && o.cut.Add(-1) >= 0 {
				return nil, errors.New("cut off")
			}
			return next.RoundTrip(r)
		})
	})
	argo, err := kube.Argo(config)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	o.Operator = operate.New(argo, client.CoreV1(), time.Now)
	return o
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// start makes a run of a template.
func (o *office) start(name, template string) bridge.RunID {
	o.t.Helper()
	wf := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
		"metadata": map[string]any{
			"name":        name,
			"labels":      map[string]any{bridge.LabelEvent: bridge.Event{ID: "1"}.Hash(), bridge.LabelRule: "nightly"},
			"annotations": map[string]any{bridge.AnnotationEventTitle: "push", bridge.AnnotationStopped: ""},
		},
		"spec": map[string]any{"workflowTemplateRef": map[string]any{"name": template}},
	}}
	unstructured.RemoveNestedField(wf.Object, "metadata", "annotations", bridge.AnnotationStopped)
	made, err := o.c.workflowsOf(o.ns).Create(o.t.Context(), wf, metav1.CreateOptions{})
	if err != nil {
		o.t.Fatal(err)
	}
	return bridge.RunID{Namespace: o.ns, Name: name, UID: string(made.GetUID())}
}

// find waits for a run to be as it should.
func (o *office) find(id bridge.RunID, what string, is func(bridge.Run) bool) bridge.Run {
	o.t.Helper()
	var run bridge.Run
	eventually(o.t, id.Name+" "+what, func() (err error) {
		if run, err = o.Find(o.t.Context(), id.Namespace, id.Name); err == nil && !is(run) {
			err = fmt.Errorf("it is %s: %s; pauses %+v", run.Phase, run.Message, run.Pauses)
		}
		return err
	})
	return run
}

func in(phase string) func(bridge.Run) bool {
	return func(r bridge.Run) bool { return r.Phase == phase }
}

func waiting(r bridge.Run) bool {
	return slices.ContainsFunc(r.Pauses, bridge.Pause.Open)
}

// does wants an act to succeed; refuses wants it to be refused for good, in words that hold a text.
func (o *office) does(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) refuses(err error, text string) {
	o.t.Helper()
	if !bridge.IsPermanent(err) || !strings.Contains(err.Error(), text) {
		o.t.Errorf("got %v, want a permanent error with %q", err, text)
	}
}

func (o *office) codes(code string) {
	o.t.Helper()
	m := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "codes", Labels: map[string]string{"workflows.argoproj.io/configmap-type": "Parameter"}},
		Data:       map[string]string{"code": code},
	}
	_, err := o.c.client.CoreV1().ConfigMaps(o.ns).Create(o.t.Context(), m, metav1.CreateOptions{})
	if err != nil {
		_, err = o.c.client.CoreV1().ConfigMaps(o.ns).Update(o.t.Context(), m, metav1.UpdateOptions{})
	}
	o.does(err)
}

func stamp(id, by string) bridge.Stamp { return bridge.Stamp{ID: id, By: by} }

func TestARetryTriesTheFailedStepsAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t, shared(t), flakyTemplate)
	o.codes("3")
	id := o.start("flaky-1", "flaky")
	failed := o.find(id, "fails", in("Failed"))
	if len(failed.Failures) != 1 || failed.Failures[0].Path != "second" || failed.Failures[0].ExitCode != "3" {
		t.Fatalf("%+v", failed.Failures)
	}
	// It fails again as long as nothing has changed; each attempt has its own start.
	o.does(o.Retry(t.Context(), id, stamp("a", "anna")))
	again := o.find(id, "fails again", func(r bridge.Run) bool { return r.Phase == "Failed" && r.Started.After(failed.Started) })
	if again.Annotations[bridge.AnnotationRetried] != "anna" {
		t.Errorf("annotations %v", again.Annotations)
	}
	o.does(o.Retry(t.Context(), id, stamp("a", "anna"))) // carried out again after a crash
	if same, err := o.Find(t.Context(), o.ns, id.Name); err != nil || same.Phase != "Failed" {
		t.Fatalf("an order that was carried out did so again: %s, %v", same.Phase, err)
	}
	o.codes("0")
	o.cut.Store(1)
	if err := o.Retry(t.Context(), id, stamp("b", "bob")); err == nil || bridge.IsPermanent(err) {
		t.Fatalf("cut off between the pods and the Workflow: %v", err)
	}
	o.does(o.Retry(t.Context(), id, stamp("b", "bob")))
	good := o.find(id, "succeeds", in("Succeeded"))
	if good.UID != id.UID || good.Annotations[bridge.AnnotationRetried] != "bob" {
		t.Errorf("%s %v", good.UID, good.Annotations)
	}
	if first := good.Steps[0]; first.Name != "first" || first.Started != failed.Steps[0].Started {
		t.Errorf("the step that had succeeded ran again: %+v, before %+v", first, failed.Steps[0])
	}
	o.refuses(o.Retry(t.Context(), id, stamp("c", "carl")), "has succeeded")
}

func TestAResubmissionIsOneNewRun(t *testing.T) {
	t.Parallel()
	o := newOffice(t, shared(t), flakyTemplate)
	o.codes("1")
	id := o.start("flaky-1", "flaky")
	o.find(id, "fails", in("Failed"))
	o.codes("0")
	s := stamp("a", "anna")
	s.Annotations = map[string]string{bridge.AnnotationReplay: "a"}
	name, err := o.Resubmit(t.Context(), id, s)
	o.does(err)
	if again, err := o.Resubmit(t.Context(), id, s); err != nil || again != name {
		t.Errorf("a second time: %q, not %q, %v", again, name, err)
	}
	other, err := o.Resubmit(t.Context(), id, stamp("b", "anna"))
	o.does(err)
	run := o.find(bridge.RunID{Namespace: o.ns, Name: name}, "succeeds", in("Succeeded"))
	if !strings.HasPrefix(name, "flaky-") || name == other || run.Template.Name != "flaky" || run.Rule != "nightly" {
		t.Errorf("%s, %s: %+v", name, other, run)
	}
	for key, want := range map[string]string{
		bridge.AnnotationResubmitOf: o.ns + "/flaky-1", bridge.AnnotationActor: "anna", bridge.AnnotationReplay: "a", bridge.AnnotationEventTitle: "push",
	} {
		if got := run.Annotations[key]; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if run.Labels[bridge.LabelEvent] != (bridge.Event{ID: "1"}).Hash() || run.Labels["workflows.argoproj.io/resubmitted-from-workflow"] != "flaky-1" {
		t.Errorf("labels %v", run.Labels)
	}
	o.find(bridge.RunID{Namespace: o.ns, Name: other}, "succeeds", in("Succeeded"))
	runs, err := o.List(t.Context(), o.ns, "flaky", 2)
	if err != nil || len(runs) != 2 || slices.ContainsFunc(runs, func(r bridge.Run) bool { return r.Name == id.Name }) {
		t.Errorf("the two newest runs: %d, %v", len(runs), err)
	}
	if runs, err := o.List(t.Context(), o.ns, "", 10); err != nil || len(runs) != 3 {
		t.Errorf("all runs: %d, %v", len(runs), err)
	}
	if runs, err := o.List(t.Context(), o.ns, "other", 10); err != nil || len(runs) != 0 {
		t.Errorf("runs of another template: %d, %v", len(runs), err)
	}
}

func TestAStepThatWaitsGoesOnWithWhatItAsksFor(t *testing.T) {
	t.Parallel()
	o := newOffice(t, shared(t), gateTemplate)
	id := o.start("gate-1", "gate")
	run := o.find(id, "waits", waiting)
	if len(run.Pauses) != 1 {
		t.Fatalf("a step that a time ends is no pause: %+v", run.Pauses)
	}
	p := run.Pauses[0]
	if p.Path != "approve" || len(p.Inputs) != 3 || p.Inputs[0].Description != "Where to?" || *p.Inputs[0].Default != "staging" ||
		!slices.Equal(p.Inputs[0].Enum, []string{"staging", "production"}) || *p.Inputs[1].Default != "3" || p.Inputs[2].Default != nil {
		t.Fatalf("%+v", p)
	}
	give := func(pairs ...string) (all []bridge.Parameter) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, bridge.Parameter{Name: pairs[i], Value: pairs[i+1]})
		}
		return all
	}
	resume := func(id bridge.RunID, node, by string, values ...string) error {
		return o.Resume(t.Context(), id, node, stamp("by-"+by, by), give(values...))
	}
	o.refuses(resume(id, p.Node, "anna"), "reason is missing")
	o.refuses(resume(id, p.Node, "anna", "target", "moon", "reason", "x"), `target cannot be "moon": it is one of staging, production`)
	o.refuses(resume(id, p.Node, "anna", "reason", "x", "colour", "red"), `does not ask for "colour"`)
	other := o.start("gate-2", "gate")
	o.refuses(resume(other, p.Node, "anna", "reason", "x"), "has no step of the id")
	o.refuses(resume(bridge.RunID{Namespace: o.ns, Name: "gate-1", UID: "another"}, p.Node, "anna", "reason", "x"), "is gone")
	o.cut.Store(1)
	if err := resume(id, p.Node, "anna", "reason", "x"); err == nil || bridge.IsPermanent(err) {
		t.Fatalf("cut off: %v", err)
	}
	o.does(resume(id, p.Node, "anna", "target", "production", "reason", "it is time"))
	o.does(resume(id, p.Node, "anna", "target", "production", "reason", "it is time")) // after a crash
	o.refuses(resume(id, p.Node, "bob", "reason", "x"), "already approved by anna")
	o.refuses(o.Reject(t.Context(), id, p.Node, stamp("c", "anna")), "already approved by anna")
	run = o.find(id, "succeeds", in("Succeeded"))
	if closed := run.Pauses[0]; closed.Message != "approved by anna" || closed.Phase != "Succeeded" {
		t.Errorf("%+v", closed)
	}
	wf, err := o.c.workflowsOf(o.ns).Get(t.Context(), "gate-1", metav1.GetOptions{})
	o.does(err)
	if text := string(mustJSON(t, wf.Object)); !strings.Contains(text, "production/3") {
		t.Error("the next step did not get what was supplied")
	}
	if !slices.Contains(run.Outputs, bridge.Parameter{Name: "reason", Value: "it is time"}) {
		t.Errorf("outputs %v", run.Outputs)
	}
	o.does(o.c.workflowsOf(o.ns).Delete(t.Context(), "gate-1", metav1.DeleteOptions{}))
	o.refuses(resume(id, p.Node, "bob", "reason", "x"), "is gone")
}

func TestARejectedStepFailsAndWaitsAgainWhenTheRunIsRetried(t *testing.T) {
	t.Parallel()
	o := newOffice(t, shared(t), gateTemplate)
	id := o.start("gate-1", "gate")
	node := o.find(id, "waits", waiting).Pauses[0].Node
	o.does(o.Reject(t.Context(), id, node, stamp("b", "bob")))
	o.does(o.Reject(t.Context(), id, node, stamp("b", "bob")))
	run := o.find(id, "fails", in("Failed"))
	if run.Pauses[0].Message != "rejected by bob" {
		t.Errorf("%+v", run.Pauses)
	}
	o.refuses(o.Resume(t.Context(), id, node, stamp("c", "anna"), nil), "already rejected by bob")
	o.does(o.Retry(t.Context(), id, stamp("a", "anna")))
	pause := o.find(id, "waits again", waiting).Pauses[0]
	if len(pause.Inputs) != 3 || pause.Message != "" {
		t.Errorf("%+v", pause)
	}
	o.does(o.Resume(t.Context(), id, pause.Node, stamp("d", "anna"), []bridge.Parameter{{Name: "reason", Value: "now"}}))
	o.find(id, "succeeds", in("Succeeded"))
}

func TestAStopIsStampedAndARetryTakesItBack(t *testing.T) {
	t.Parallel()
	o := newOffice(t, shared(t), gateTemplate)
	id := o.start("gate-1", "gate")
	o.find(id, "waits", waiting)
	o.does(o.Stop(t.Context(), id, "by order of anna: Stop"))
	o.does(o.Stop(t.Context(), id, "by order of anna: Stop"))
	run := o.find(id, "is stopped", in("Failed"))
	if !run.Stopped() || waiting(run) {
		t.Errorf("%v, pauses %+v", run.Annotations, run.Pauses)
	}
	o.does(o.Stop(t.Context(), id, "by order of anna: Stop"))
	o.refuses(o.Stop(t.Context(), id, "by order of bob: Stop"), "has ended already: Failed")
	o.refuses(o.Stop(t.Context(), bridge.RunID{Namespace: o.ns, Name: "gate-9"}, "x"), "is gone")
	o.does(o.Retry(t.Context(), id, stamp("a", "anna")))
	if run = o.find(id, "waits again", waiting); run.Stopped() {
		t.Error("a run that was retried is still stopped")
	}
}
