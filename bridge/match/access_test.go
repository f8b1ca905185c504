package match_test

import (
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

func TestAccess(t *testing.T) {
	t.Parallel()
	entries := []match.Entry{
		{Namespaces: []string{"team-*", "!team-x"}, Repositories: []string{"acme/*"}, Buckets: []string{"landing"}},
		{Namespaces: []string{"ops"}, Workspaces: []string{"T1"}, Channels: []string{"C1", "#ops"}, Events: []string{"com.acme.*"}},
		{Namespaces: []string{"chat"}, Workspaces: []string{"T1"}},
		{Namespaces: []string{"argo"}, Repositories: []string{"acme/infra"}, Channels: []string{"C9"}},
		{Namespaces: []string{"load"}, Workflows: []string{"extract", "raw-*"}},
	}
	access, err := match.NewAccess(entries, "argo")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		namespace string
		event     string
		values    values
		no        string
	}{
		"a repository of the namespace":                  {"team-a", "github.push", values{"repositories": {"Acme/app"}}, ""},
		"a repository of nobody":                         {"team-a", "github.push", values{"repositories": {"other/app"}}, `namespace "team-a" has no access to repository other/app`},
		"a repository of another namespace":              {"ops", "github.push", values{"repositories": {"acme/app"}}, "no access"},
		"an excluded namespace":                          {"team-x", "github.push", values{"repositories": {"acme/app"}}, "no access"},
		"a bucket of the namespace":                      {"team-a", "gcs.finalized", values{"buckets": {"landing"}}, ""},
		"a bucket of nobody":                             {"team-a", "gcs.finalized", values{"buckets": {"secret"}}, "no access to bucket secret"},
		"a channel by its id":                            {"ops", "slack.command", values{"workspaces": {"T1"}, "channels": {"C1"}}, ""},
		"a channel by its name":                          {"ops", "slack.command", values{"workspaces": {"T1"}, "channels": {"C7", "#ops"}}, ""},
		"a channel of another workspace":                 {"ops", "slack.command", values{"workspaces": {"T2"}, "channels": {"C1"}}, "no access to Slack workspace T2, channel C1"},
		"another channel of the workspace":               {"ops", "slack.command", values{"workspaces": {"T1"}, "channels": {"C2"}}, "no access"},
		"no channel where channels are listed":           {"ops", "slack.shortcut", values{"workspaces": {"T1"}}, "no access"},
		"a whole workspace":                              {"chat", "slack.command", values{"workspaces": {"T1"}, "channels": {"C2"}}, ""},
		"channels alone hold for any workspace":          {"argo", "slack.command", values{"workspaces": {"T5"}, "channels": {"C9"}}, ""},
		"repositories alone give no workspace":           {"team-a", "slack.command", values{"workspaces": {"T1"}, "channels": {"C1"}}, "no access"},
		"an event of the namespace":                      {"ops", "com.acme.thing.happened", values{}, ""},
		"an event of nobody":                             {"ops", "com.other", values{}, "no access to event com.other"},
		"an event of a source without a repository":      {"team-a", "github.organization", values{}, "no access to event github.organization"},
		"a cluster template has its namespace's access":  {"", "github.push", values{"repositories": {"acme/infra"}}, ""},
		"the end of a run in the same namespace":         {"nobody", "workflow.succeeded", values{"namespaces": {"nobody"}}, ""},
		"the end of a run in a namespace that is listed": {"load", "workflow.succeeded", values{"namespaces": {"raw-1"}}, ""},
		"the end of a run in another namespace":          {"load", "workflow.succeeded", values{"namespaces": {"team-a"}}, `no access to the workflows of namespace team-a`},
		"a cluster template runs in a namespace as well": {"", "workflow.succeeded", values{"namespaces": {"argo"}}, ""},
		"and hears of no other":                          {"", "workflow.succeeded", values{"namespaces": {"team-a"}}, "no access"},
		"and no more than that":                          {"", "github.push", values{"repositories": {"acme/app"}}, `namespace "argo" has no access`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ok, detail := access.Allows(bridge.Template{Namespace: test.namespace, Name: "t"}, bridge.Facts{Name: test.event, Values: test.values})
			if ok != (test.no == "") || !strings.Contains(detail, test.no) {
				t.Errorf("got %v, %q, want a detail with %q", ok, detail, test.no)
			}
		})
	}
}

func TestAccessIsClosedByDefault(t *testing.T) {
	t.Parallel()
	template, facts := bridge.Template{Namespace: "a", Name: "t"}, bridge.Facts{Name: "x"}
	var zero match.Access
	for name, access := range map[string]match.Access{"zero value": zero, "none": match.AllowNone()} {
		if ok, _ := access.Allows(template, facts); ok {
			t.Errorf("%s allows", name)
		}
	}
	if ok, _ := match.AllowAll().Allows(template, facts); !ok {
		t.Error("AllowAll does not")
	}
}

func TestNewAccessNamesEveryFault(t *testing.T) {
	t.Parallel()
	_, err := match.NewAccess([]match.Entry{
		{Namespaces: []string{"a"}, Repositories: []string{"["}},
		{Buckets: []string{"!x"}},
	}, "argo")
	for _, want := range []string{"access[0]: repositories: bad pattern", "access[1]: namespaces: the list is empty", "buckets: a list of excluding"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
