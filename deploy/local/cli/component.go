package cli

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
	"github.com/argo-bridge/argo-bridge/deploy/local/component"
)

// newComponent is the command that runs one component in the foreground; 'up'
// and 'start' call it for their processes.
func newComponent(dir *string, name string) *cobra.Command {
	var parent int
	command := &cobra.Command{
		Use:   name,
		Short: "Run " + name + " of an existing cluster in the foreground",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			path, err := filepath.Abs(*dir)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			// The API server handles signals itself, and argo-server just ends.
			if name != cluster.APIServer && name != cluster.ArgoServer {
				var stop context.CancelFunc
				ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
				defer stop()
			}
			if parent != 0 {
				if err := cluster.EndWithParent(ctx, parent); err != nil {
					return err
				}
			}
			return component.Run(ctx, cluster.Dir(path), name)
		},
	}
	command.Flags().IntVar(&parent, "parent-pid", 0, "end when this process ends")
	return command
}
