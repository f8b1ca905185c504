package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
)

// parentVariable is the environment's form of --parent-pid.
const parentVariable = "LOCAL_CLUSTER_PARENT_PID"

func newUp(dir *string) *cobra.Command {
	var components string
	options := cluster.UpOptions{}
	command := &cobra.Command{
		Use:   "up",
		Short: "Start the cluster, or what is missing of it, and wait until it is ready",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, cancel := interruptible()
			defer cancel()
			var err error
			if options.Components, err = cluster.ParseComponents(components); err != nil {
				return err
			}
			if options.Executable, err = os.Executable(); err != nil {
				return err
			}
			if options.Kubeconfig, err = absoluteUnlessEmpty(options.Kubeconfig); err != nil {
				return err
			}
			if options.ParentPID, err = parentPID(options.ParentPID); err != nil {
				return err
			}
			options.Dir, options.Progress = cluster.Dir(*dir), command.OutOrStdout()
			return cluster.Up(ctx, options)
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.Kubeconfig, "kubeconfig", "", "also put the administrator's context into this file (default DIR/kubeconfig alone)")
	flags.StringVar(&components, "components", strings.Join(cluster.Components(), ","), "what to run; the API server always runs")
	flags.StringVar(&options.CRDs, "crds", "minimal", "Argo's CRDs: minimal, or full with schemas (slower, 1 GB)")
	flags.IntVar(&options.ParentPID, "parent-pid", 0, "end the cluster when this process ends (or "+parentVariable+")")
	return command
}

func absoluteUnlessEmpty(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	return filepath.Abs(path)
}

// parentPID prefers the flag to the environment.
func parentPID(flag int) (int, error) {
	value := os.Getenv(parentVariable)
	if flag != 0 || value == "" {
		return flag, nil
	}
	pid, err := strconv.Atoi(value)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is not the number of a process", parentVariable, value)
	}
	return pid, nil
}

func newDown(dir *string) *cobra.Command {
	var purge bool
	command := &cobra.Command{
		Use:   "down",
		Short: "End every process of the cluster; its data stay unless --purge is given",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := cluster.Down(cluster.Dir(*dir), purge); err != nil {
				return err
			}
			fmt.Fprintln(command.OutOrStdout(), "cluster is down")
			return nil
		},
	}
	command.Flags().BoolVar(&purge, "purge", false, "remove the cluster's data, logs and kubeconfig as well")
	return command
}

func newStart(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "start COMPONENT",
		Short: "Start one component again, under its old address",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			ctx, cancel := interruptible()
			defer cancel()
			executable, err := os.Executable()
			if err != nil {
				return err
			}
			return cluster.Start(ctx, cluster.Dir(*dir), executable, args[0])
		},
	}
}

func newStop(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "stop COMPONENT",
		Short: "End one component and leave the others running",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return cluster.Stop(cluster.Dir(*dir), args[0])
		},
	}
}
