package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

const (
	argoModule       = "github.com/argoproj/argo-workflows/v3"
	kubernetesModule = "k8s.io/kubernetes"
)

// argoSum is go.sum's line for the version of Argo Workflows in go.mod. The
// module is replaced there, so that go.sum itself has no such line.
const argoSum = "h1:0p8ZOXeFzO9uiJAyVAKJGN5UisGOoqbCjle5CuLyL4k="

// required is the version of a module that go.mod requires.
func required(module, path string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return "", err
	}
	line := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(path) + `\s+(v\S+)`)
	found := line.FindSubmatch(raw)
	if found == nil {
		return "", fmt.Errorf("go.mod does not require %s", path)
	}
	return string(found[1]), nil
}

// download fetches a module into the module cache and returns its folder there.
func download(ctx context.Context, path, version, sum string) (string, error) {
	command := exec.CommandContext(ctx, "go", "mod", "download", "-json", path+"@"+version)
	// The sum is checked below, without asking the checksum database.
	command.Env = append(os.Environ(), "GOWORK=off", "GONOSUMDB="+path)
	out, err := command.Output()
	var answer struct{ Dir, Sum, Error string }
	if jsonErr := json.Unmarshal(out, &answer); jsonErr != nil || answer.Error != "" {
		return "", fmt.Errorf("download %s@%s: %w: %s", path, version, err, answer.Error)
	}
	if answer.Sum != sum {
		return "", fmt.Errorf("download %s@%s: checksum %s, want %s", path, version, answer.Sum, sum)
	}
	return answer.Dir, nil
}
