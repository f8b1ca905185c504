package workflowtemplates_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/fake"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

var (
	templates        = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflowtemplates"}
	clusterTemplates = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "clusterworkflowtemplates"}
)

func template(kind, namespace, name string, annotations map[string]any) *unstructured.Unstructured {
	metadata := map[string]any{"name": name, "uid": "uid-" + name, "annotations": annotations}
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": metadata,
		"spec": map[string]any{
			"arguments": map[string]any{"parameters": []any{map[string]any{"name": "sha", "value": "x"}}},
			"templates": []any{map[string]any{"name": "main", "script": map[string]any{"source": "echo"}}},
		},
	}}
}

func on(event string) map[string]any { return map[string]any{bridge.Prefix + "on": event} }

// faultLog is a Reporter that remembers.
type faultLog struct {
	mu    sync.Mutex
	calls []string
}

func (l *faultLog) Faults(t bridge.Template, uid string, faults []workflowtemplates.Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, fmt.Sprintf("%s %s %d", t, uid, len(faults)))
}

func (l *faultLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := l.calls
	l.calls = nil
	return calls
}

func client(objects ...runtime.Object) *fake.FakeDynamicClient {
	return fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		templates: "WorkflowTemplateList", clusterTemplates: "ClusterWorkflowTemplateList",
	}, objects...)
}

// follow runs a catalog until the test ends, and returns it once it is synced. It runs in real time:
// client-go waits on a channel of its own that testing/synctest cannot see through.
func follow(t *testing.T, c dynamic.Interface, o workflowtemplates.CatalogOptions) *workflowtemplates.Catalog {
	t.Helper()
	o.Client, o.Language, o.Access = c, language(), match.AllowAll()
	catalog := workflowtemplates.NewCatalog(o)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- catalog.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-catalog.Synced():
	case <-time.After(30 * time.Second):
		t.Fatal("the catalog is not synced")
	}
	return catalog
}

// eventually waits until the catalog holds the templates.
func eventually(t *testing.T, step string, c *workflowtemplates.Catalog, want ...string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		diff := cmp.Diff(want, rules(c))
		if diff == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %s", step, diff)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// rules names the templates, with a ! behind faulty ones.
func rules(c *workflowtemplates.Catalog) []string {
	var all []string
	for _, t := range c.View().Templates() {
		name := t.Ref.String()
		if len(t.Faulty) > 0 {
			name += "!"
		}
		all = append(all, name)
	}
	return all
}

func TestCatalogFollowsTheTemplates(t *testing.T) {
	t.Parallel()
	c := client(
		template("WorkflowTemplate", "team", "a", on("github.push")),
		template("WorkflowTemplate", "team", "silent", map[string]any{"example.com/x": "y"}),
		template("ClusterWorkflowTemplate", "", "c", on("gcs.finalized")),
	)
	log := &faultLog{}
	catalog := follow(t, c, workflowtemplates.CatalogOptions{Cluster: true, Reporter: log})
	faults := func(step string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, log.take()); diff != "" {
			t.Errorf("%s: faults: %s", step, diff)
		}
	}
	if diff := cmp.Diff([]string{"c", "team/a"}, rules(catalog)); diff != "" {
		t.Error("the first view: ", diff)
	}
	faults("at the start")

	ctx, api := t.Context(), c.Resource(templates).Namespace("team")
	must(t)(api.Create(ctx, template("WorkflowTemplate", "team", "b", on("nonsense")), metav1.CreateOptions{}))
	eventually(t, "a faulty one is created", catalog, "c", "team/a", "team/b!")
	faults("a faulty one is created", "team/b uid-b 1")

	b, _ := catalog.View().Template(bridge.Template{Namespace: "team", Name: "b"})
	relabelled := template("WorkflowTemplate", "team", "b", on("nonsense"))
	relabelled.SetLabels(map[string]string{"a": "b"})
	relabelled.SetResourceVersion("7")
	must(t)(api.Update(ctx, relabelled, metav1.UpdateOptions{}))
	must(t)(api.Create(ctx, template("WorkflowTemplate", "team", "d", on("github.push")), metav1.CreateOptions{}))
	eventually(t, "an update that changes nothing", catalog, "c", "team/a", "team/b!", "team/d")
	faults("an update that changes nothing")
	if same, _ := catalog.View().Template(b.Ref); same != b {
		t.Error("a template that did not change was compiled again")
	}

	must(t)(api.Update(ctx, template("WorkflowTemplate", "team", "b", on("github.push")), metav1.UpdateOptions{}))
	eventually(t, "the fault is mended", catalog, "c", "team/a", "team/b", "team/d")
	faults("the fault is mended", "team/b uid-b 0")
	if got := len(catalog.View().Matcher.Rules()); got != 4 {
		t.Errorf("got %d rules", got)
	}

	must(t)(api.Update(ctx, template("WorkflowTemplate", "team", "a", nil), metav1.UpdateOptions{}))
	eventually(t, "the annotations are removed", catalog, "c", "team/b", "team/d")
	if err := api.Delete(ctx, "b", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a template is deleted", catalog, "c", "team/d")
}

func must(t *testing.T) func(*unstructured.Unstructured, error) {
	return func(_ *unstructured.Unstructured, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestCatalogOfOneNamespaceSeesNoOther(t *testing.T) {
	t.Parallel()
	c := client(
		template("WorkflowTemplate", "team", "a", on("github.push")),
		template("WorkflowTemplate", "other", "b", on("github.push")),
		template("ClusterWorkflowTemplate", "", "c", on("github.push")),
	)
	catalog := follow(t, c, workflowtemplates.CatalogOptions{Namespace: "team"})
	if diff := cmp.Diff([]string{"team/a"}, rules(catalog)); diff != "" {
		t.Error(diff)
	}
}

func TestABurstOfTemplatesIsOneSwap(t *testing.T) {
	t.Parallel()
	c := client(template("WorkflowTemplate", "team", "first", on("github.push")))
	catalog := follow(t, c, workflowtemplates.CatalogOptions{})
	views := map[*workflowtemplates.View]bool{}
	for i := range 100 {
		must(t)(c.Resource(templates).Namespace("team").Create(t.Context(), template("WorkflowTemplate", "team", fmt.Sprint("t", i), on("github.push")), metav1.CreateOptions{}))
		views[catalog.View()] = true
	}
	deadline := time.Now().Add(30 * time.Second)
	for len(catalog.View().Templates()) < 101 {
		if time.Now().After(deadline) {
			t.Fatal("the templates are not there")
		}
		views[catalog.View()] = true
		time.Sleep(time.Millisecond)
	}
	if len(views) > 20 {
		t.Errorf("%d views for 100 templates", len(views))
	}
}

func TestCatalogIsEmptyBeforeItIsSynced(t *testing.T) {
	t.Parallel()
	catalog := workflowtemplates.NewCatalog(workflowtemplates.CatalogOptions{Client: client()})
	if len(catalog.View().Templates()) != 0 {
		t.Error("not empty")
	}
	select {
	case <-catalog.Synced():
		t.Error("synced before Run")
	default:
	}
}

func BenchmarkViewOf10000Templates(b *testing.B) {
	all := make([]*workflowtemplates.Template, 10_000)
	for i := range all {
		all[i] = workflowtemplates.Parse(workflowtemplates.Input{
			Ref: bridge.Template{Namespace: "team", Name: fmt.Sprint("t", i)},
			Annotations: map[string]string{
				bridge.Prefix + "on":   fmt.Sprintf("github.push: {repositories: [acme/app-%d], branches: [main]}", i),
				bridge.Prefix + "when": "github.ref == 'x'",
			},
		}, language())
	}
	for b.Loop() {
		workflowtemplates.NewView(all, match.AllowAll())
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		parse("on", "github.push: {repositories: [acme/app], branches: [main]}", "when", "github.ref == 'x'", "notify", "failed: slack:#x")
	}
}
