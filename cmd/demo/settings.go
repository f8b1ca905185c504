package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Settings are what the demo is called with. All paths are absolute.
type settings struct {
	dir     string // everything that the demo writes
	root    string // the repository
	cluster string // the program local-cluster
	bridge  string // the program argo-bridge
	keep    bool
}

func readSettings(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.StringVar(&s.dir, "dir", ".local/demo", "folder for the cluster, the bus, logs and configs")
	flags.StringVar(&s.root, "root", ".", "the repository's root")
	flags.StringVar(&s.cluster, "local-cluster", "bin/local-cluster", "the local cluster's program")
	flags.StringVar(&s.bridge, "argo-bridge", "bin/argo-bridge", "the bridge's program")
	flags.BoolVar(&s.keep, "keep", false, "leave everything running until Ctrl-C")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	for _, path := range []*string{&s.dir, &s.root, &s.cluster, &s.bridge} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return s, err
		}
		*path = absolute
	}
	return s, s.check()
}

// check says what has to be built first.
func (s settings) check() error {
	for program, remedy := range map[string]string{
		s.cluster: "make -C deploy/local build",
		s.bridge:  "go build -o bin/argo-bridge ./cmd/argo-bridge",
	} {
		if _, err := os.Stat(program); err != nil {
			return fmt.Errorf("%s is not built: run %s, or make demo, which does it all", program, remedy)
		}
	}
	return nil
}

func (s settings) path(names ...string) string {
	return filepath.Join(append([]string{s.dir}, names...)...)
}

// short is a path as a person in the current folder writes it.
func short(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(here, path)
	if err != nil || len(relative) >= len(path) {
		return path
	}
	return relative
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
