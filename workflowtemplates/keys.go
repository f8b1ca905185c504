package workflowtemplates

import (
	"regexp"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// The keys of the language, without the prefix. Each may bear the suffix .<rule>; without one it
// belongs to the rule default (notify, message, github and slack: to every run of the template).
const (
	keyOn             = "on"
	keyWhen           = "when"
	keyParameters     = "parameters"
	keyNotify         = "notify"
	keyMessage        = "message"
	keyLabels         = "labels"
	keyEntrypoint     = "entrypoint"
	keyServiceAccount = "service-account"
	keyPriority       = "priority"
	keyConcurrency    = "concurrency"
	keyOrdered        = "ordered"
	keyLatestOnly     = "latest-only"
	keyRate           = "rate"
	keyBatch          = "batch"
	keyTrust          = "trust"
	keyGitHub         = "github"
	keySlack          = "slack"
)

var keys = []string{
	keyOn, keyWhen, keyParameters, keyNotify, keyMessage, keyLabels, keyEntrypoint, keyServiceAccount, keyPriority,
	keyConcurrency, keyOrdered, keyLatestOnly, keyRate, keyBatch, keyTrust, keyGitHub, keySlack,
}

// A rule's name becomes a label's value and part of a Workflow's name.
var ruleName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$`)

// ofRuns says whether a key is about runs, however they were started, and so about no rule when it has no suffix.
func ofRuns(base string) bool {
	return base == keyNotify || base == keyMessage || base == keyGitHub || base == keySlack
}

// splitKey takes on.nightly apart. rule is empty without a suffix.
func splitKey(key string) (base, rule string, suffixed bool) {
	return strings.Cut(key, ".")
}

// joinKey is the key of a rule's annotation.
func joinKey(base, rule string) string {
	if rule == "" || rule == bridge.DefaultRule {
		return base
	}
	return base + "." + rule
}
