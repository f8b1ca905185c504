package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"
	"sigs.k8s.io/yaml"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func outputFlag() cli.Flag {
	return &cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "text", Usage: "`FORMAT`: text or json"}
}

func checkOutput(c *cli.Context) error {
	if o := c.String("output"); o != "text" && o != "json" {
		return fmt.Errorf("--output %s: the formats are text and json", o)
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// marks stand before each rule, so that the eye finds the one that matched.
var marks = map[bridge.Verdict]string{
	bridge.Matched: "✓", bridge.Rejected: "✗", bridge.Fault: "✗", bridge.Filtered: "·", bridge.OtherEvent: "·",
	bridge.Waiting: "…", bridge.Parked: "✗", bridge.Skipped: "·",
}

func writeExplanation(w io.Writer, x explanation) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s   %s\n", x.Event.Name, x.Event.Title)
	fmt.Fprintf(&b, "  id %s, type %s, source %s\n\n", x.Event.ID, x.Event.Type, x.Event.Source)
	if len(x.Rules) == 0 {
		b.WriteString("No template has an `on` annotation.\n")
	}
	for _, r := range x.Rules {
		fmt.Fprintf(&b, "%s %s, rule %s: %s", marks[r.Decision], r.Template, r.Rule, r.Decision)
		if r.Decision != bridge.Matched {
			fmt.Fprintf(&b, "\n    %s", strings.ReplaceAll(r.Detail, "\n", "\n    "))
		}
		b.WriteString("\n")
		if r.Flow != nil {
			b.WriteString("    " + indent(strings.TrimSpace(r.Flow.text()), 4) + "\n")
		}
		if r.Workflow == nil {
			continue
		}
		object, err := yaml.Marshal(r.Workflow)
		if err != nil {
			return err
		}
		what := "it would create"
		if r.Flow != nil && r.Flow.Batch != nil {
			what = "as a batch of its own it would create"
		}
		b.WriteString("    " + what + "\n\n      " + strings.ReplaceAll(strings.TrimSpace(string(object)), "\n", "\n      ") + "\n\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
