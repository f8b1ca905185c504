package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/bridge/app"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

func lintCommand() *cli.Command {
	return &cli.Command{
		Name:      "lint",
		Usage:     "check the annotations of WorkflowTemplates in files",
		ArgsUsage: "FILE|DIR...",
		Description: "Reads YAML and JSON files, directories with all their *.yaml, *.yml and *.json, and - for stdin.\n" +
			"Objects that are no WorkflowTemplate or ClusterWorkflowTemplate are passed over.\n\n" +
			"Exit code: 0 without errors (warnings are none), 1 with errors, 2 when a path cannot be read.",
		Flags:  []cli.Flag{outputFlag()},
		Action: lint,
	}
}

func lint(c *cli.Context) error {
	if c.NArg() == 0 {
		return cli.Exit("lint: name a file or a directory, or - for stdin", 2)
	}
	if err := checkOutput(c); err != nil {
		return cli.Exit("lint: "+err.Error(), 2)
	}
	report, err := workflowtemplates.Lint(c.Args().Slice(), c.App.Reader, app.Language())
	if err != nil {
		return cli.Exit("lint: "+err.Error(), 2)
	}
	if err := writeReport(c, report); err != nil {
		return fmt.Errorf("write the faults: %w", err)
	}
	if report.Count(workflowtemplates.Error) > 0 {
		return cli.Exit("", 1)
	}
	return nil
}

func writeReport(c *cli.Context, report *workflowtemplates.Report) error {
	if c.String("output") == "json" {
		return writeJSON(c.App.Writer, append([]workflowtemplates.FileFault{}, report.Faults...))
	}
	return writeText(c.App.Writer, report)
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
