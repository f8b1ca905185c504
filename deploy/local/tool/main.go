// Command tool builds local-cluster, and prepares the one dependency that does
// not build as it is. It needs the standard library and the go command alone.
//
//	go run . prepare    copy Argo Workflows' source into ../argo-src
//	go run . build      prepare, then build ../../../bin/local-cluster
//
// Both do nothing when there is nothing to do.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	// The tool runs in its own folder, one below the module that it works on.
	module, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	if len(args) == 1 && args[0] == "prepare" {
		return prepare(ctx, module)
	}
	if len(args) == 1 && args[0] == "build" {
		if err := prepare(ctx, module); err != nil {
			return err
		}
		return build(ctx, module)
	}
	return fmt.Errorf("want one argument: prepare or build")
}
