package cluster

import (
	"fmt"
	"slices"
	"strings"
)

// The components of a cluster, each one process.
const (
	APIServer         = "apiserver"
	Controller        = "controller"
	ArgoServer        = "argo-server"
	PodRunner         = "pod-runner"
	ControllerManager = "controller-manager"
)

// Components lists every component in the order in which they are started; they
// are stopped in the reverse order.
func Components() []string {
	return []string{APIServer, ControllerManager, Controller, ArgoServer, PodRunner}
}

// ParseComponents reads a comma-separated list. The API server is always part
// of the answer, since nothing runs without it.
func ParseComponents(list string) ([]string, error) {
	wanted := map[string]bool{APIServer: true}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if err := CheckComponent(name); err != nil {
			return nil, err
		}
		wanted[name] = true
	}
	return slices.DeleteFunc(Components(), func(name string) bool { return !wanted[name] }), nil
}

// CheckComponent says whether name is a component.
func CheckComponent(name string) error {
	if slices.Contains(Components(), name) {
		return nil
	}
	return fmt.Errorf("unknown component %q: want one of %s", name, strings.Join(Components(), ", "))
}
