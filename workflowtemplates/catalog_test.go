package workflowtemplates_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
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

// follow runs a catalog until the test's bubble ends, and returns it once it is synced.
func follow(t *testing.T, c dynamic.Interface, o workflowtemplates.CatalogOptions) *workflowtemplates.Catalog {
	t.Helper()
	o.Client, o.Language, o.Access = c, language(), match.AllowAll()
	catalog := workflowtemplates.NewCatalog(o)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- catalog.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-catalog.Synced()
	return catalog
}

// settle lets the catalog see all changes.
func settle() {
	time.Sleep(2 * time.Second) // the bubble's clock, which costs no time
	synctest.Wait()
}

func refs(c *workflowtemplates.Catalog) []string {
	var all []string
	for _, t := range c.View().Templates() {
		all = append(all, t.Ref.String())
	}
	return all
}

func TestCatalogFollowsTheTemplates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(
			template("WorkflowTemplate", "team", "a", on("github.push")),
			template("WorkflowTemplate", "team", "silent", map[string]any{"example.com/x": "y"}),
			template("ClusterWorkflowTemplate", "", "c", on("gcs.finalized")),
		)
		log := &faultLog{}
		catalog := follow(t, c, workflowtemplates.CatalogOptions{Cluster: true, Reporter: log})
		check := func(step string, want, faults []string) {
			t.Helper()
			settle()
			if diff := cmp.Diff(want, refs(catalog)); diff != "" {
				t.Errorf("%s: %s", step, diff)
			}
			if diff := cmp.Diff(faults, log.take()); diff != "" {
				t.Errorf("%s: faults: %s", step, diff)
			}
		}
		check("at the start", []string{"c", "team/a"}, nil)

		ctx, api := t.Context(), c.Resource(templates).Namespace("team")
		must(t)(api.Create(ctx, template("WorkflowTemplate", "team", "b", on("nonsense")), metav1.CreateOptions{}))
		check("a faulty one is created", []string{"c", "team/a", "team/b"}, []string{"team/b uid-b 1"})

		relabelled := template("WorkflowTemplate", "team", "b", on("nonsense"))
		relabelled.SetLabels(map[string]string{"a": "b"})
		relabelled.SetResourceVersion("7")
		before := catalog.View()
		must(t)(api.Update(ctx, relabelled, metav1.UpdateOptions{}))
		check("an update that changes nothing", []string{"c", "team/a", "team/b"}, nil)
		if catalog.View() != before {
			t.Error("the view was swapped for nothing")
		}

		kept, _ := catalog.View().Template(bridge.Template{Namespace: "team", Name: "a"})
		must(t)(api.Update(ctx, template("WorkflowTemplate", "team", "b", on("github.push")), metav1.UpdateOptions{}))
		check("the fault is mended", []string{"c", "team/a", "team/b"}, []string{"team/b uid-b 0"})
		if same, _ := catalog.View().Template(kept.Ref); same != kept {
			t.Error("a template that did not change was compiled again")
		}
		if got := len(catalog.View().Matcher.Rules()); got != 3 {
			t.Errorf("got %d rules", got)
		}

		must(t)(api.Update(ctx, template("WorkflowTemplate", "team", "a", nil), metav1.UpdateOptions{}))
		check("the annotations are removed", []string{"c", "team/b"}, nil)
		if err := api.Delete(ctx, "b", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		check("a template is deleted", []string{"c"}, nil)
	})
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
	synctest.Test(t, func(t *testing.T) {
		c := client(
			template("WorkflowTemplate", "team", "a", on("github.push")),
			template("WorkflowTemplate", "other", "b", on("github.push")),
			template("ClusterWorkflowTemplate", "", "c", on("github.push")),
		)
		catalog := follow(t, c, workflowtemplates.CatalogOptions{Namespace: "team"})
		settle()
		if diff := cmp.Diff([]string{"team/a"}, refs(catalog)); diff != "" {
			t.Error(diff)
		}
	})
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
