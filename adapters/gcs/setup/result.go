package setup

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Config is the section of the bridge's configuration file that takes what w brings.
func Config(w Wanted) string {
	if p := w.Push; p != nil {
		return fmt.Sprintf("gcs:\n  push:\n    audience: %s\n    serviceAccounts: [%s]\n", quoted(p.Audience), quoted(p.ServiceAccount))
	}
	return fmt.Sprintf("gcs:\n  subscriptions: [%s]\n", w.subscription())
}

// Annotations are what a WorkflowTemplate with a parameter path needs to be started by w.
func Annotations(w Wanted) string {
	var b strings.Builder
	b.WriteString("metadata:\n  annotations:\n    bridge.argoproj.io/on: |\n")
	filters := "buckets: [" + quoted(w.Bucket) + "]"
	if w.Prefix != "" {
		filters += ", objects: [" + quoted(literal(w.Prefix)+"**") + "]"
	}
	for _, t := range w.EventTypes {
		fmt.Fprintf(&b, "      gcs.%s: {%s}\n", t, filters)
	}
	b.WriteString("    bridge.argoproj.io/parameters: |\n      path: gcs.name\n")
	return b.String()
}

// quoted is a text in YAML's double quotes, which JSON's are.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

// literal is a glob that matches the text itself.
func literal(s string) string {
	var b strings.Builder
	for i, r := range s {
		if strings.ContainsRune(`*?+[]\`, r) || i == 0 && r == '!' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
