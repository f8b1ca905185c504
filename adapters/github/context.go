package github

import (
	"fmt"
	"regexp"
	"strings"

	"sigs.k8s.io/json"
)

// contextNames are the members of the variable github. They have the names and, where the payload
// lets them, the values of GitHub Actions' context:
// https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#github-context
// https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
var contextNames = []string{
	"event", "event_name", "action", "repository", "repository_owner", "ref", "ref_name", "ref_type",
	"sha", "actor", "base_ref", "head_ref", "files", "pull_request",
}

// variables builds "github" and "data". A name that has no value is absent, and so null, rather
// than the empty text that it is in Actions: a template's default can then take its place.
//
// Three values differ from those in Actions. For a pull request, sha and ref are the head commit's
// and refs/pull/N/head, since the merge commit is not in the payload. For checks and workflow runs,
// they are those of the commit that was checked, and not of the default branch. For other events
// without a ref, the ref is the default branch as in Actions, but its last commit is not known.
//
// files are the changed files, as far as the payload holds them all, and pull_request the one that a comment stands under:
// GitHub is asked for them by who needs them, see FactFinder.
func (p payload) variables(files []string) (map[string]any, error) {
	data, err := decode(p.raw)
	if err != nil {
		return nil, fmt.Errorf("read the payload of %s: %w", p.name, err)
	}
	at := p.position()
	github := map[string]any{"event": data, "event_name": p.name}
	set := func(name, value string) {
		if value != "" {
			github[name] = value
		}
	}
	repository := p.text("repository.full_name")
	owner, _, _ := strings.Cut(repository, "/")
	if files != nil {
		list := make([]any, len(files))
		for i, f := range files {
			list[i] = strings.Clone(f)
		}
		github["files"] = list
	}
	set("action", p.text("action"))
	set("repository", repository)
	set("repository_owner", owner)
	set("actor", p.text("sender.login"))
	set("ref", at.ref)
	set("ref_name", shortRef(at.ref))
	set("ref_type", refType(at.ref))
	set("sha", at.sha)
	set("base_ref", at.base)
	set("head_ref", at.head)
	return map[string]any{"github": github, "data": data}, nil
}

// A position is where in the repository an event happened.
type position struct{ ref, sha, base, head string }

func (p payload) position() position {
	switch p.name {
	case "push":
		at := position{ref: p.text("ref"), sha: p.text("after")}
		if strings.Trim(at.sha, "0") == "" { // the branch is gone
			at.sha = ""
		}
		return at
	case "create":
		return position{ref: fullRef(p.text("ref_type"), p.text("ref"))}
	case "release":
		return position{ref: fullRef("tag", p.text("release.tag_name")), sha: commit(p.text("release.target_commitish"))}
	case "deployment", "deployment_status":
		ref := p.text("deployment.ref")
		if commit(ref) != "" {
			ref = ""
		}
		return position{ref: ref, sha: p.text("deployment.sha")}
	case "merge_group":
		return position{ref: p.text("merge_group.head_ref"), sha: p.text("merge_group.head_sha"),
			base: p.text("merge_group.base_ref"), head: p.text("merge_group.head_ref")}
	case "code_scanning_alert":
		return position{ref: p.text("ref"), sha: p.text("commit_oid")}
	case "workflow_dispatch":
		return position{ref: p.text("ref")}
	case "repository_dispatch":
		return position{ref: fullRef("branch", p.text("branch"))}
	case "status":
		return position{sha: p.text("sha")}
	}
	if p.Get("pull_request.head").IsObject() {
		return position{
			ref:  "refs/pull/" + p.text("pull_request.number", "number") + "/head",
			sha:  p.text("pull_request.head.sha"),
			base: p.text("pull_request.base.ref"),
			head: p.text("pull_request.head.ref"),
		}
	}
	for _, checked := range []string{"workflow_run", "workflow_job", "check_run", "check_suite"} {
		if v := p.Get(checked); v.IsObject() {
			return position{
				ref: fullRef("branch", p.text(checked+".head_branch", checked+".check_suite.head_branch")),
				sha: p.text(checked+".head_sha", checked+".check_suite.head_sha"),
			}
		}
	}
	return position{
		ref: fullRef("branch", p.text("repository.default_branch")),
		sha: p.text("comment.commit_id", "build.commit"),
	}
}

func fullRef(kind, name string) string {
	switch {
	case name == "":
		return ""
	case kind == "tag":
		return "refs/tags/" + name
	default:
		return "refs/heads/" + name
	}
}

func refType(ref string) string {
	switch {
	case strings.HasPrefix(ref, "refs/tags/"):
		return "tag"
	case strings.HasPrefix(ref, "refs/heads/"), strings.HasPrefix(ref, "refs/pull/"):
		return "branch"
	default:
		return ""
	}
}

var commitID = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

func commit(s string) string { return commitID.FindString(s) }

// decode reads JSON with whole numbers as integers, so that an id stays exact and is not written as
// 1.86853002e+08.
func decode(b []byte) (any, error) {
	var v any
	err := json.UnmarshalCaseSensitivePreserveInts(b, &v)
	return v, err
}
