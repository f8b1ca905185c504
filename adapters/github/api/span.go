package api

import (
	"fmt"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/tidwall/gjson"
)

// maxCommits is how many commits a push payload lists at most:
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
const maxCommits = 2048

// A span is what an event changes: what lies between two commits.
type span struct {
	// base may be a branch, and is empty where there is nothing to compare with.
	base, head string
	// number is that of the pull request, if it is one.
	number int
	// push: the payload tells some of the files itself, and cut: not all. created: the push has made the branch or tag.
	push, created, cut bool
	told               []string
}

// spanOf finds the commits, in the payload alone or in the pull request that was asked for.
func spanOf(e bridge.Event, f bridge.Facts) (span, error) {
	data := gjson.ParseBytes(e.Data)
	text := func(path string) string { return data.Get(path).String() }
	known, err := pinnedPull(f)
	if err != nil {
		return span{}, err
	}
	var s span
	switch {
	case f.Name == "github.push":
		s = pushed(data)
	case f.Name == "github.merge_group":
		s = span{base: text("merge_group.base_sha"), head: text("merge_group.head_sha")}
	case known != nil:
		s = span{base: known.Base.SHA, head: known.Head.SHA, number: int(known.Number)}
	default:
		s = span{base: text("pull_request.base.sha"), head: text("pull_request.head.sha"), number: int(data.Get("pull_request.number").Int())}
	}
	if s.push && s.base == "" {
		return s, nil
	}
	if !commitID.MatchString(s.head) || !s.created && !commitID.MatchString(s.base) {
		return span{}, bridge.Permanent(fmt.Errorf("the payload has no commits between which files could have changed, but %q and %q", s.base, s.head))
	}
	return s, nil
}

// pushed is the span of a push. A new branch is compared with the default branch; the default branch itself, and what is
// gone, with nothing.
func pushed(data gjson.Result) span {
	s := span{push: true, base: data.Get("before").String(), head: data.Get("after").String(), told: told(data)}
	s.cut = data.Get("commits.#").Int() >= maxCommits
	switch {
	case data.Get("deleted").Bool(), zeros(s.head):
		return span{push: true}
	case data.Get("created").Bool(), zeros(s.base):
		s.created = true
		s.base = data.Get("repository.default_branch").String()
		if data.Get("ref").String() == "refs/heads/"+s.base {
			s.base = ""
		}
	}
	return s
}

// told are the paths that the payload of a push tells.
func told(data gjson.Result) []string {
	var paths []string
	for _, c := range data.Get("commits").Array() {
		for _, key := range []string{"added", "removed", "modified"} {
			for _, p := range c.Get(key).Array() {
				paths = append(paths, strings.Clone(p.String()))
			}
		}
	}
	return paths
}

func zeros(sha string) bool { return strings.Trim(sha, "0") == "" }
