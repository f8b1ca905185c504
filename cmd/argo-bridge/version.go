package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Action: func(c *cli.Context) error {
			argo := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, m := range info.Deps {
					if m.Path == "github.com/argoproj/argo-workflows/v3" {
						argo = m.Version
					}
				}
			}
			_, err := fmt.Fprintf(c.App.Writer, "argo-bridge %s (argo-workflows %s, %s, %s/%s)\n",
				version, argo, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
