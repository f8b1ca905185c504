package deploy_test

import (
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

const testVersion = "v9.8.7-test"

// dockerfileBuild is the shell command by which the Dockerfile builds the program.
func dockerfileBuild() (string, error) {
	data, err := os.ReadFile("../Dockerfile")
	if err != nil {
		return "", err
	}
	joined := strings.ReplaceAll(string(data), "\\\n", " ")
	build := regexp.MustCompile(`(?m)^RUN .*?(CGO_ENABLED=.* go build .*)$`).FindStringSubmatch(joined)
	if build == nil {
		return "", errors.New("the Dockerfile has no line RUN ... CGO_ENABLED=... go build ...")
	}
	return build[1], nil
}

func TestTheDockerfileBuildsAStaticProgramThatKnowsItsVersion(t *testing.T) {
	t.Parallel()
	binary := bridgeBinary(t)
	out, err := exec.Command(binary, "version").CombinedOutput()
	if err != nil || !strings.Contains(string(out), testVersion) {
		t.Errorf("version: %v, %s; want %s in it", err, out, testVersion)
	}
	if runtime.GOOS != "linux" {
		return
	}
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the program wants a dynamic linker, which the image does not have")
		}
	}
}

func TestTheDockerignoreLeavesEverythingThatTheProgramIsMadeOf(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	ignored := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		ignored[strings.TrimSpace(line)] = true
	}
	cmd := exec.Command("go", "list", "-deps", "-f",
		`{{$d := .Dir}}{{if .Module}}{{if .Module.Main}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}`,
		"./cmd/argo-bridge")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	files := strings.Fields(string(out))
	if len(files) < 50 {
		t.Fatalf("go list names %d files only", len(files))
	}
	for _, file := range files {
		path, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		top, _, _ := strings.Cut(path, string(filepath.Separator))
		if ignored[top] || strings.HasSuffix(path, "_test.go") {
			t.Errorf("%s is part of the program, and .dockerignore keeps it from the build", path)
		}
	}
}
