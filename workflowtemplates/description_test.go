package workflowtemplates_test

import (
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

func TestTheDescriptionOfATemplateIsKept(t *testing.T) {
	t.Parallel()
	const key = "workflows.argoproj.io/description"
	spoken := on("github.push")
	spoken[key] = "Loads what is new. " + strings.Repeat("ü", 1000)
	c := follow(t, client(
		template("WorkflowTemplate", "team", "etl", spoken), template("WorkflowTemplate", "team", "silent", map[string]any{key: "says nothing to the bridge"}),
	), workflowtemplates.CatalogOptions{})
	got, ok := c.View().Template(bridge.Template{Namespace: "team", Name: "etl"})
	if !ok || !strings.HasPrefix(got.Description, "Loads what is new.") || len(got.Description) > 1000 || strings.Contains(got.Description, "\uFFFD") {
		t.Errorf("got %q", got.Description)
	}
	if _, ok := c.View().Template(bridge.Template{Namespace: "team", Name: "silent"}); ok {
		t.Error("a template without annotations of the bridge is followed")
	}
}
