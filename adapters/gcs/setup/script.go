package setup

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Names of the script's variables, which hold the service agents.
const (
	gcsAgent    = "$GCS_AGENT"
	pubsubAgent = "$PUBSUB_AGENT"
)

// Script is what Apply does, on a project where nothing of it is there, as commands for a POSIX shell.
func Script(w Wanted) string {
	var b strings.Builder
	line := func(s string) { b.WriteString(s + "\n") }
	line("GCS_AGENT=$(" + gcloud("storage service-agent", flag("project", w.BucketProject)) + ")")
	number := "$(" + gcloud("projects describe", word(w.Project), "--format='value(projectNumber)'") + ")"
	if w.ProjectNumber != "" {
		number = w.ProjectNumber
	}
	line("PUBSUB_AGENT=service-" + number + "@gcp-sa-pubsub.iam.gserviceaccount.com")
	for _, s := range w.steps() {
		for _, c := range s.commands {
			line(c)
		}
	}
	return b.String()
}

func (w Wanted) subscriptionCommand() string {
	args := []string{
		word(w.subscription()), flag("topic", w.topic()), flag("ack-deadline", strings.TrimSuffix(seconds(AckDeadline), "s")),
		flag("message-retention-duration", seconds(Retention)), "--expiration-period=never",
		flag("min-retry-delay", seconds(MinRetry)), flag("max-retry-delay", seconds(MaxRetry)),
		flag("dead-letter-topic", w.deadLetters()), "--max-delivery-attempts=100",
	}
	if p := w.Push; p != nil {
		args = append(args, flag("push-endpoint", p.Endpoint), flag("push-auth-service-account", p.ServiceAccount),
			flag("push-auth-token-audience", p.Audience))
	}
	return gcloud("pubsub subscriptions create", args...)
}

// notificationCommand leaves the topic alone, which gcloud would make and grant by itself.
func (w Wanted) notificationCommand() string {
	args := []string{
		word("gs://" + w.Bucket), flag("topic", w.topic()), flag("event-types", strings.Join(w.eventTypes(), ",")), "--payload-format=json",
	}
	if w.Prefix != "" {
		args = append(args, flag("object-prefix", w.Prefix))
	}
	if len(w.Attributes) > 0 {
		args = append(args, flag("custom-attributes", dictionary(w.Attributes)))
	}
	return gcloud("storage buckets notifications create", append(args, "--skip-topic-setup")...)
}

// dictionary writes a map as gcloud reads it, with another separator where a comma would split a value:
// https://cloud.google.com/sdk/gcloud/reference/topic/escaping
func dictionary(m map[string]string) string {
	var entries []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		entries = append(entries, k+"="+m[k])
	}
	all := strings.Join(entries, "")
	if !strings.Contains(all, ",") && !strings.HasPrefix(all, "^") {
		return strings.Join(entries, ",")
	}
	separator := ":"
	for strings.Contains(all, separator) {
		separator += ":"
	}
	return "^" + separator + "^" + strings.Join(entries, separator)
}

// gcloud is a command; the arguments are words of a shell already.
func gcloud(command string, args ...string) string {
	return strings.Join(append([]string{"gcloud", command}, args...), " ")
}

// member is the flag with a service account, which may be a variable of the script.
func member(account string) string {
	if account == gcsAgent || account == pubsubAgent {
		return `--member="serviceAccount:` + account + `"`
	}
	return flag("member", "serviceAccount:"+account)
}

func flag(name, value string) string { return "--" + name + "=" + word(value) }

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// word quotes a text for a shell where that is needed.
func word(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
