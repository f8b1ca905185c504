package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// notifiers are the schemes of destinations that this version can notify.
func notifiers() []string { return []string{"slack"} }

func lintCommand() *cli.Command {
	return &cli.Command{
		Name:      "lint",
		Usage:     "check the annotations of WorkflowTemplates in files",
		ArgsUsage: "FILE|DIR...",
		Description: "Reads YAML and JSON files, directories with all their *.yaml, *.yml and *.json, and - for stdin.\n" +
			"Objects that are no WorkflowTemplate or ClusterWorkflowTemplate are passed over.\n\n" +
			"Exit code: 0 without errors (warnings are none), 1 with errors, 2 when a path cannot be read.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "text", Usage: "text or json"},
		},
		Action: lint,
	}
}

func lint(c *cli.Context) error {
	if c.NArg() == 0 {
		return cli.Exit("lint: name a file or a directory, or - for stdin", 2)
	}
	write := writeText
	switch c.String("output") {
	case "text":
	case "json":
		write = writeJSON
	default:
		return cli.Exit(fmt.Sprintf("lint: --output must be text or json, not %q", c.String("output")), 2)
	}
	language := workflowtemplates.Language{Dialects: dialects(), Notifiers: notifiers()}
	report, err := workflowtemplates.Lint(c.Args().Slice(), c.App.Reader, language)
	if err != nil {
		return cli.Exit("lint: "+err.Error(), 2)
	}
	if err := write(c.App.Writer, report); err != nil {
		return fmt.Errorf("write the faults: %w", err)
	}
	if report.Count(workflowtemplates.Error) > 0 {
		return cli.Exit("", 1)
	}
	return nil
}

func writeJSON(w io.Writer, report *workflowtemplates.Report) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(append([]workflowtemplates.FileFault{}, report.Faults...))
}

// writeText writes file:line: severity: key: message, as editors read it, and a line that sums up.
func writeText(w io.Writer, report *workflowtemplates.Report) error {
	for _, f := range report.Faults {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%s, %s in %s with %s\n",
		count(report.Count(workflowtemplates.Error), "error"), count(report.Count(workflowtemplates.Warning), "warning"),
		count(report.Templates, "template"), count(report.Rules, "rule"))
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
