// Command local-cluster runs a real Kubernetes API with Argo Workflows on
// loopback, without containers. See README.md.
package main

import (
	"fmt"
	"os"

	"github.com/argo-bridge/argo-bridge/deploy/local/cli"
)

func main() {
	if err := cli.Run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "local-cluster:", err)
		os.Exit(1)
	}
}
