// Package cli is local-cluster's command line: the cluster as a whole, its
// components one by one, and kubectl and argo for machines that lack them.
package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
)

// Run executes one command line, given without the program's name.
func Run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "kubectl":
			return kubectl(args[1:])
		case "argo":
			return argo(args[1:])
		}
	}
	root := newRoot()
	root.SetArgs(args)
	return root.Execute()
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "local-cluster",
		Short:         "A real Kubernetes API with Argo Workflows on loopback, without containers",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	dir := root.PersistentFlags().String("dir", cluster.DefaultDir, "folder of the cluster")
	root.AddCommand(newUp(dir), newDown(dir), newStatus(dir), newStart(dir), newStop(dir))
	for _, name := range cluster.Components() {
		root.AddCommand(newComponent(dir, name))
	}
	// For the list of commands only: Run hands these two their own arguments.
	root.AddCommand(
		&cobra.Command{Use: "kubectl", Short: "kubectl, for the cluster in " + cluster.DefaultDir + " unless KUBECONFIG says otherwise", RunE: unused},
		&cobra.Command{Use: "argo", Short: "Argo's command line, for the same cluster", RunE: unused},
	)
	return root
}

func unused(*cobra.Command, []string) error { return nil }

// interruptible is a context that ends when the user interrupts the command.
func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}
