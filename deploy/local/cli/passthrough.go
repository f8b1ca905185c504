package cli

import (
	"os"

	"github.com/argoproj/argo-workflows/v3/cmd/argo/commands"
	"k8s.io/component-base/cli"
	kubectlcmd "k8s.io/kubectl/pkg/cmd"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
	"github.com/argo-bridge/argo-bridge/deploy/local/quiet"
)

// kubectl runs kubectl's own command.
func kubectl(args []string) error {
	if err := useLocalKubeconfig(); err != nil {
		return err
	}
	// kubectl's constructor reads the program's arguments itself.
	os.Args = append([]string{"kubectl"}, args...)
	command := kubectlcmd.NewDefaultKubectlCommand()
	command.SetArgs(args)
	return cli.RunNoErrOutput(command)
}

// argo runs the command of Argo Workflows.
func argo(args []string) error {
	if err := useLocalKubeconfig(); err != nil {
		return err
	}
	quiet.Over()
	command := commands.NewCommand()
	command.SetArgs(args)
	command.SilenceErrors = true
	return command.Execute()
}

// useLocalKubeconfig points both at the cluster of the current folder, unless
// the user has pointed them elsewhere.
func useLocalKubeconfig() error {
	if os.Getenv("KUBECONFIG") != "" {
		return nil
	}
	file := cluster.Dir(cluster.DefaultDir).Kubeconfig()
	if _, err := os.Stat(file); err != nil {
		return nil
	}
	return os.Setenv("KUBECONFIG", file)
}
