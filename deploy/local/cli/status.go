package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
)

func newStatus(dir *string) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:   "status",
		Short: "Show the components, their addresses and their memory",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			path, err := filepath.Abs(*dir)
			if err != nil {
				return err
			}
			ctx, cancel := interruptible()
			defer cancel()
			status, err := cluster.Inspect(ctx, cluster.Dir(path))
			if err != nil {
				return err
			}
			return printStatus(command.OutOrStdout(), status, output)
		},
	}
	command.Flags().StringVar(&output, "output", "text", "text or json")
	return command
}

func printStatus(w io.Writer, status *cluster.Status, output string) error {
	switch output {
	case "json":
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(status)
	case "text":
		return printTable(w, status)
	}
	return fmt.Errorf("unknown output %q: want text or json", output)
}

func printTable(w io.Writer, status *cluster.Status) error {
	if len(status.Components) == 0 {
		_, err := fmt.Fprintf(w, "no cluster in %s\n", status.Dir)
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COMPONENT\tPID\tREADY\tMB\tURL")
	for _, c := range status.Components {
		fmt.Fprintf(table, "%s\t%d\t%t\t%d\t%s\n", c.Name, c.PID, c.Ready, c.ResidentMB, c.URL)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "kubeconfig %s\n", status.Kubeconfig)
	return err
}
