package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const mainPackage = "github.com/argo-bridge/argo-bridge/deploy/local"

// build makes bin/local-cluster and shows how far it is: on a machine that has
// none of the modules and none of the packages it takes minutes.
func build(ctx context.Context, module string) error {
	target := filepath.Join(module, "..", "..", "bin", "local-cluster")
	flags, err := linkerFlags(module)
	if err != nil {
		return err
	}
	show := newProgress(os.Stdout)
	defer show.stop()
	total := 0
	if _, err := os.Stat(target); errors.Is(err, os.ErrNotExist) {
		if total, err = countPackages(ctx, module, show); err != nil {
			return err
		}
	}
	compiled := 0
	args := []string{"build", "-v", "-trimpath", "-ldflags", flags, "-o", target, "."}
	rest, err := follow(ctx, module, args, io.Discard, func(line string) bool {
		if !isPackage(line) {
			return downloading(line)
		}
		compiled++
		show.set(buildStep(line, compiled, total))
		return true
	})
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, rest)
	}
	if compiled > 0 {
		show.done(fmt.Sprintf("built bin/local-cluster, %d packages compiled", compiled))
	}
	return nil
}

func buildStep(line string, compiled, total int) string {
	switch {
	case line == mainPackage:
		return "linking"
	case total > 0:
		return fmt.Sprintf("compiling: %d of at most %d packages", compiled, total)
	}
	return fmt.Sprintf("compiling: %d packages", compiled)
}

// countPackages lists all packages of the program, for which go downloads their
// modules.
func countPackages(ctx context.Context, module string, show *progress) (int, error) {
	var packages strings.Builder
	modules := 0
	show.set("listing packages")
	rest, err := follow(ctx, module, []string{"list", "-deps", "."}, &packages, func(line string) bool {
		if !downloading(line) {
			return false
		}
		modules++
		show.set(fmt.Sprintf("downloading modules: %d so far", modules))
		return true
	})
	if err != nil {
		return 0, fmt.Errorf("go list: %w\n%s", err, rest)
	}
	return strings.Count(packages.String(), "\n"), nil
}

func downloading(line string) bool { return strings.HasPrefix(line, "go: downloading ") }

// isPackage tells the lines of go build -v from messages.
func isPackage(line string) bool {
	return line != "" && !strings.ContainsAny(line, " \t:#")
}

// follow runs the go command in module and hands its messages to use, line by
// line. What use does not want is returned.
func follow(ctx context.Context, module string, args []string, out io.Writer, use func(line string) bool) (rest string, err error) {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir, command.Stdout = module, out
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	messages, err := command.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := command.Start(); err != nil {
		return "", err
	}
	var others []string
	for lines := bufio.NewScanner(messages); lines.Scan(); {
		if !use(lines.Text()) {
			others = append(others, lines.Text())
		}
	}
	return strings.Join(others, "\n"), command.Wait()
}

// linkerFlags strips the program and tells it the versions of what is in it;
// without them the API server would call itself v0.0.0-master.
func linkerFlags(module string) (string, error) {
	kubernetes, err := required(module, kubernetesModule)
	if err != nil {
		return "", err
	}
	argo, err := required(module, argoModule)
	if err != nil {
		return "", err
	}
	numbers := strings.SplitN(strings.TrimPrefix(kubernetes, "v"), ".", 3)
	if len(numbers) != 3 {
		return "", fmt.Errorf("version %q of %s has no three parts", kubernetes, kubernetesModule)
	}
	const version = "k8s.io/component-base/version."
	return strings.Join([]string{
		"-s", "-w",
		"-X", version + "gitVersion=" + kubernetes,
		"-X", version + "gitMajor=" + numbers[0],
		"-X", version + "gitMinor=" + numbers[1],
		"-X", argoModule + ".version=" + argo,
	}, " "), nil
}
