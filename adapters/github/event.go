package github

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/tidwall/gjson"
)

// typePrefix begins the CloudEvents type of every GitHub event.
const typePrefix = "com.github."

// Translate makes an event of a delivery: its X-GitHub-Event and X-GitHub-Delivery headers and its
// body, which becomes the event's Data as it is. It reads the few fields that the attributes need
// and works for every event that GitHub has or will have.
//
// The attributes are those of the CloudEvents adapter for GitHub,
// https://github.com/cloudevents/spec/blob/main/cloudevents/adapters/github.md, save that
//
//   - the type always has the event's real name: com.github.issues.opened, where the document says
//     issue, and an action that GitHub gave an event (deployment) after the document was written,
//   - the source is the repository wherever there is one: the document takes the issue, the pull
//     request or the comment for some events, so that one repository would be many sources,
//   - the subject of a comment is the issue or pull request that it stands under,
//   - the source is https://github.com where an event is nobody's in particular,
//   - the time is zero where the document says "current time", and the head commit's for a push.
func Translate(name, delivery string, body []byte) (bridge.Event, error) {
	if !token(name, "_") {
		return bridge.Event{}, fmt.Errorf("X-GitHub-Event is %q, not an event's name of letters, digits and _", cut(name, 40))
	}
	if !token(delivery, "_-.:") {
		return bridge.Event{}, errors.New("X-GitHub-Delivery is missing or not an id")
	}
	if !object(body) {
		return bridge.Event{}, errors.New("the body is not one JSON object")
	}
	d := open(body)
	return bridge.Event{
		ID:      delivery,
		Source:  cmp.Or(d.text(sources...), "https://github.com"),
		Type:    eventType(name, d),
		Subject: d.text(pathsOf(subjects, name, defaultSubjects)...),
		Time:    when(d, pathsOf(times, name, defaultTimes)),
		Data:    body,
	}, nil
}

func eventType(name string, body document) string {
	paths, ok := typeSuffixes[name]
	if !ok {
		paths = []string{"action"}
	}
	t := typePrefix + name
	for _, path := range paths {
		// The action of a repository_dispatch is a text of its sender's choice; what would break
		// the type's tokens stays in the payload alone.
		if s := body.Get(path).String(); token(s, "_-") {
			t += "." + s
		}
	}
	return t
}

// Where each attribute stands in the payload; the first path that leads to something is taken.
// A leading $ stands for the event's own object: $.id is check_run.id for a check_run.
var (
	sources = []string{
		"repository.url", "repository.html_url", "organization.url", "installation.account.url",
		"installation.account.html_url", "enterprise.html_url", "sender.url", "sender.html_url",
	}

	typeSuffixes = map[string][]string{
		"create":            {"ref_type"},
		"delete":            {"ref_type"},
		"deployment_status": {"deployment_status.state"},
		"membership":        {"scope", "action"},
	}

	subjects = map[string][]string{
		"branch_protection_rule":         {"rule.id"},
		"code_scanning_alert":            {"alert.number"},
		"commit_comment":                 {"comment.id"},
		"create":                         {"ref"},
		"delete":                         {"ref"},
		"dependabot_alert":               {"alert.number"},
		"deploy_key":                     {"key.id"},
		"discussion_comment":             {"discussion.number"},
		"fork":                           {"forkee.full_name"},
		"gollum":                         {"pages.0.page_name"},
		"installation_repositories":      {"installation.id"},
		"issue_comment":                  {"issue.number"},
		"issues":                         {"issue.number"},
		"label":                          {"label.name"},
		"marketplace_purchase":           {"marketplace_purchase.account.login"},
		"member":                         {"member.login"},
		"membership":                     {"member.login"},
		"merge_group":                    {"merge_group.head_ref"},
		"meta":                           {"hook_id"},
		"milestone":                      {"milestone.number"},
		"org_block":                      {"blocked_user.login"},
		"organization":                   {"membership.user.login", "invitation.login", "organization.login"},
		"page_build":                     {"build.commit", "id"},
		"ping":                           {"hook_id"},
		"public":                         {"repository.name"},
		"pull_request":                   {"number", "pull_request.number"},
		"pull_request_review":            {"pull_request.number"},
		"pull_request_review_comment":    {"pull_request.number"},
		"pull_request_review_thread":     {"pull_request.number"},
		"push":                           {"ref"},
		"release":                        {"release.tag_name", "release.id"},
		"repository":                     {"repository.name"},
		"repository_dispatch":            {"branch"},
		"repository_import":              {"repository.name"},
		"repository_vulnerability_alert": {"alert.number", "alert.id"},
		"secret_scanning_alert":          {"alert.number"},
		"security_advisory":              {"security_advisory.ghsa_id"},
		"sponsorship":                    {"sponsorship.sponsor.login"},
		"star":                           {},
		"status":                         {"sha"},
		"team_add":                       {"team.id"},
		"watch":                          {},
		"workflow_dispatch":              {"ref"},
	}
	defaultSubjects = []string{"$.number", "$.id", "pull_request.number", "issue.number", "discussion.number", "alert.number", "ref"}

	times = map[string][]string{
		"branch_protection_rule":      {"rule.updated_at"},
		"check_run":                   {"check_run.completed_at", "check_run.started_at"},
		"commit_comment":              {"comment.updated_at"},
		"deploy_key":                  {"key.deleted_at", "key.created_at"},
		"discussion_comment":          {"comment.updated_at", "comment.created_at"},
		"fork":                        {"forkee.created_at"},
		"installation_repositories":   {"installation.updated_at"},
		"issue_comment":               {"comment.updated_at"},
		"issues":                      {"issue.updated_at"},
		"marketplace_purchase":        {"effective_date"},
		"meta":                        {"hook.updated_at"},
		"page_build":                  {"build.updated_at"},
		"pull_request_review":         {"review.submitted_at", "pull_request.updated_at"},
		"pull_request_review_comment": {"comment.updated_at", "pull_request.updated_at"},
		"pull_request_review_thread":  {"pull_request.updated_at"},
		"public":                      {"repository.updated_at"},
		"push":                        {"head_commit.timestamp"},
		"release":                     {"release.published_at", "release.created_at"},
		"repository":                  {"repository.updated_at"},
		"repository_import":           {"repository.updated_at"},
		"star":                        {"starred_at"},
		"status":                      {"updated_at"},
		"team":                        {},
		"workflow_job":                {"workflow_job.completed_at", "workflow_job.started_at", "workflow_job.created_at"},
	}
	defaultTimes = []string{"$.updated_at", "$.created_at", "alert.updated_at", "alert.created_at"}
)

func pathsOf(table map[string][]string, event string, otherwise []string) []string {
	if paths, ok := table[event]; ok {
		return paths
	}
	paths := make([]string, len(otherwise))
	for i, p := range otherwise {
		if p[0] == '$' {
			p = event + p[1:]
		}
		paths[i] = p
	}
	return paths
}

func when(body document, paths []string) time.Time {
	for _, path := range paths {
		v := body.Get(path)
		if t, err := time.Parse(time.RFC3339, v.String()); err == nil {
			return t.UTC()
		}
		// An installation tells seconds since 1970.
		if n := v.Int(); v.Type == gjson.Number && n > 0 && n < 1<<36 {
			return time.Unix(n, 0).UTC()
		}
	}
	return time.Time{}
}

// token says whether s is a word of 1 to 100 letters, digits and the others.
func token(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte(others, c) >= 0:
		default:
			return false
		}
	}
	return 0 < len(s) && len(s) <= 100
}

// cut shortens s to at most n bytes, on a character's border.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}
