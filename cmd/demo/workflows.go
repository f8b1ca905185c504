package main

import (
	"context"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	domain "github.com/argo-bridge/argo-bridge/bridge"
)

var workflowResource = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflows"}

// forgetWorkflows removes the Workflows of an earlier demo from a cluster that was running already.
func (c *cluster) forgetWorkflows(ctx context.Context) error {
	return c.dynamic.Resource(workflowResource).Namespace(namespace).
		DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: domain.LabelEvent})
}

// A phaseWatch follows Workflows and their pods into the journal.
type phaseWatch struct {
	journal *journal
	phases  map[string]string // workflow, or workflow and step → the last phase; used by the informer's goroutine alone
	factory dynamicinformer.DynamicSharedInformerFactory
	stopped context.CancelFunc
}

func watchWorkflows(ctx context.Context, client dynamic.Interface, j *journal) (*phaseWatch, error) {
	w := &phaseWatch{journal: j, phases: map[string]string{}}
	w.factory = dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, namespace, nil)
	informer := w.factory.ForResource(workflowResource).Informer()
	handler, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    w.changed,
		UpdateFunc: func(_, o any) { w.changed(o) },
	})
	if err != nil {
		return nil, err
	}
	ctx, w.stopped = context.WithCancel(ctx)
	w.factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), handler.HasSynced) {
		w.stop()
		return nil, ctx.Err()
	}
	return w, nil
}

func (w *phaseWatch) stop() {
	w.stopped()
	w.factory.Shutdown()
}

// changed notes new phases: first those of steps, then the Workflow's.
func (w *phaseWatch) changed(o any) {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return
	}
	name := u.GetNamespace() + "/" + u.GetName()
	e := entry{at: time.Now(), event: u.GetAnnotations()[domain.AnnotationEventID], workflow: name}
	nodes, _, _ := unstructured.NestedMap(u.Object, "status", "nodes")
	for id, n := range nodes {
		if node, ok := n.(map[string]any); ok {
			w.step(e, name+" "+id, node)
		}
	}
	phase, _, _ := unstructured.NestedString(u.Object, "status", "phase")
	if phase == "" || w.phases[name] == phase {
		return
	}
	w.phases[name] = phase
	message, _, _ := unstructured.NestedString(u.Object, "status", "message")
	e.kind, e.phase, e.text = kindPhase, phase, message
	w.journal.add(e)
}

// stepName is the step's name; a step that bears the Workflow's own is named by its template.
func stepName(workflow string, node map[string]any) string {
	name, _ := node["displayName"].(string)
	template, _ := node["templateName"].(string)
	_, workflow, _ = strings.Cut(workflow, "/")
	if rest, own := strings.CutPrefix(name, workflow); own && template != "" {
		return template + rest
	}
	return name
}

// step notes the end of a pod.
func (w *phaseWatch) step(e entry, key string, node map[string]any) {
	phase, _ := node["phase"].(string)
	if node["type"] != "Pod" || w.phases[key] == phase {
		return
	}
	w.phases[key] = phase
	if phase != "Succeeded" && phase != "Failed" && phase != "Error" {
		return
	}
	e.kind, e.text = kindStep, stepName(e.workflow, node)+": "+phase
	if message, _ := node["message"].(string); message != "" {
		e.text += ": " + message
	}
	w.journal.add(e)
}
