package github

import (
	_ "embed"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-github/v60/github"
)

// fieldsJSON holds, by event, the paths of fields that real payloads have and go-github's structs
// lack, in the notation of [addField]. `go test ./adapters/github -run Fields -update` writes it.
//
//go:embed fields.json
var fieldsJSON []byte

// newer are webhook events that neither go-github nor the collected payloads have:
// https://docs.github.com/en/webhooks/webhook-events-and-payloads
var newer = []string{
	"branch_protection_configuration", "custom_property", "custom_property_values", "deployment_review",
	"issue_dependencies", "projects_v2_status_update", "registry_package", "repository_advisory", "repository_ruleset",
	"secret_scanning_alert_location", "secret_scanning_scan", "sponsorship", "sub_issues",
}

// never are names that go-github knows and that no event is published under: GitHub's ping is
// answered by the webhook itself, and pull_request_target is GitHub Actions' alone.
var never = []string{"ping", "pull_request_target"}

// Dialect is GitHub's part of the annotation language. It is open: GitHub adds events now and then.
func Dialect() bridge.Dialect {
	observed := sync.OnceValue(observedFields)
	shapes := &shapeCache{observed: observed}
	return bridge.Dialect{
		Source:    source,
		Events:    events(observed()),
		Open:      true,
		Variables: shapes.variables,
		Untrusted: untrusted(),
	}
}

func events(observed map[string][]string) []string {
	names := slices.Concat(github.MessageTypes(), newer, slices.Collect(maps.Keys(observed)))
	names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(never, n) })
	for i := range names {
		names[i] = source + "." + names[i]
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func observedFields() map[string][]string {
	var fields map[string][]string
	if err := json.Unmarshal(fieldsJSON, &fields); err != nil {
		return nil // a test reads the file as well
	}
	return fields
}

// untrusted are the fields whose text anybody can choose who may open an issue or pull request,
// comment, or push to a fork. A superset of the list of GitHub's own advice,
// https://docs.github.com/en/actions/reference/security/secure-use#good-practices-for-mitigating-script-injection-attacks
func untrusted() []string {
	paths := []string{
		"github.head_ref", "github.ref", "github.ref_name", "github.files[]",
		"github.pull_request.title", "github.pull_request.body", "github.pull_request.head.ref", "github.pull_request.head.label",
	}
	for _, p := range strings.Fields(`
		action branch client_payload inputs
		ref base_ref master_branch description
		commits commits[].message commits[].author.name commits[].author.email commits[].author.username
		commits[].committer.name commits[].committer.email commits[].added[] commits[].modified[] commits[].removed[]
		head_commit.message head_commit.author.name head_commit.author.email head_commit.author.username
		head_commit.committer.name head_commit.committer.email
		head_commit.added[] head_commit.modified[] head_commit.removed[]
		pusher.name pusher.email
		pull_request.title pull_request.body pull_request.head.ref pull_request.head.label
		pull_request.head.repo.default_branch pull_request.head.repo.description pull_request.head.repo.homepage
		pull_request.head.repo.name pull_request.head.repo.full_name pull_request.labels[].name pull_request.milestone.title
		issue.title issue.body issue.labels[].name issue.milestone.title
		comment.body comment.path comment.diff_hunk review.body thread.comments[].body
		discussion.title discussion.body discussion.category.name
		changes.title.from changes.body.from label.name label.description milestone.title milestone.description
		pages[].page_name pages[].title pages[].summary
		release.name release.body release.tag_name release.target_commitish release.assets[].name release.assets[].label
		check_run.check_suite.head_branch check_run.name check_run.output.title check_run.output.summary check_run.output.text
		check_suite.head_branch check_suite.head_commit.message check_suite.head_commit.author.name check_suite.head_commit.author.email
		workflow_run.head_branch workflow_run.display_title workflow_run.name
		workflow_run.head_commit.message workflow_run.head_commit.author.name workflow_run.head_commit.author.email
		workflow_run.head_repository.description workflow_run.pull_requests[].head.ref
		workflow_job.head_branch workflow_job.name workflow_job.workflow_name
		deployment.ref deployment.description deployment.payload deployment_status.description
		commit.commit.message commit.commit.author.name commit.commit.author.email context branches[].name
		merge_group.head_ref merge_group.head_commit.message merge_group.head_commit.author.name merge_group.head_commit.author.email
		forkee.name forkee.full_name forkee.description
		sender.name repository.description repository.homepage`) {
		paths = append(paths, "github.event."+p, "data."+p)
	}
	return paths
}
