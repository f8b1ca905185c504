package main

import "testing"

func TestModuleRequiresWhatTheToolReads(t *testing.T) {
	for _, path := range []string{argoModule, kubernetesModule} {
		if version, err := required("..", path); err != nil || version == "" {
			t.Errorf("%s: %q, %v", path, version, err)
		}
	}
	if _, err := required("..", "example.com/absent"); err == nil {
		t.Error("a module that go.mod does not require has a version")
	}
}

func TestMessagesOfTheGoCommandAreTold(t *testing.T) {
	tests := map[string]struct {
		line                 string
		isPackage, downloads bool
	}{
		"a compiled package":  {line: "k8s.io/api/core/v1", isPackage: true},
		"a standard package":  {line: "fmt", isPackage: true},
		"a downloaded module": {line: "go: downloading k8s.io/api v0.33.13", downloads: true},
		"a heading of errors": {line: "# k8s.io/api/core/v1"},
		"an error":            {line: "./main.go:3:1: syntax error"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := isPackage(test.line); got != test.isPackage {
				t.Errorf("package: %t", got)
			}
			if got := downloading(test.line); got != test.downloads {
				t.Errorf("download: %t", got)
			}
		})
	}
}
