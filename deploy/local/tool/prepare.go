package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// overlay holds files to add to Argo's source or to put in place of its own:
// the user interface, which the module embeds and its zip lacks; a package that
// carries the manifests; and the look-up of an image's command. They end in
// .txt so that no tool takes them for part of this module.
//
//go:embed overlay
var overlay embed.FS

// left is what nothing here needs of Argo's source: nine tenths of it.
var left = map[string]bool{"sdks": true, "docs": true, "examples": true, "ui/src": true, "ui/yarn.lock": true, "community": true}

// edit is a change of one line.
type edit struct{ file, from, to string }

// edits keep argo-server off the machine's public interfaces.
var edits = []edit{{
	file: "server/apiserver/argoserver.go",
	from: `fmt.Sprintf(":%d", port)`, to: `fmt.Sprintf("127.0.0.1:%d", port)`,
}}

// prepare makes argo-src, unless it is there already as it should be.
func prepare(ctx context.Context, module string) error {
	version, err := required(module, argoModule)
	if err != nil {
		return err
	}
	target := filepath.Join(module, "argo-src")
	stamp := filepath.Join(target, ".prepared")
	want, err := fingerprint(version)
	if err != nil {
		return err
	}
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return nil
	}
	fmt.Printf("preparing Argo Workflows %s\n", version)
	source, err := download(ctx, argoModule, version, argoSum)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	if err := copyTree(source, target); err != nil {
		return fmt.Errorf("copy Argo's source: %w", err)
	}
	if err := change(target); err != nil {
		return fmt.Errorf("change Argo's source: %w", err)
	}
	return os.WriteFile(stamp, []byte(want), 0o644)
}

// fingerprint changes whenever argo-src would come out differently.
func fingerprint(version string) (string, error) {
	hash := sha256.New()
	fmt.Fprintln(hash, version, argoSum, edits, left)
	err := eachOverlay(func(name string, content []byte) error {
		fmt.Fprintln(hash, name, len(content))
		_, err := hash.Write(content)
		return err
	})
	return hex.EncodeToString(hash.Sum(nil)), err
}

// change lays the overlay over the copy and makes the edits.
func change(target string) error {
	err := eachOverlay(func(name string, content []byte) error {
		return write(filepath.Join(target, filepath.FromSlash(name)), content)
	})
	if err != nil {
		return err
	}
	for _, e := range edits {
		path := filepath.Join(target, filepath.FromSlash(e.file))
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if n := bytes.Count(content, []byte(e.from)); n != 1 {
			return fmt.Errorf("%s: %q occurs %d times, want once", e.file, e.from, n)
		}
		if err := write(path, bytes.Replace(content, []byte(e.from), []byte(e.to), 1)); err != nil {
			return err
		}
	}
	return nil
}

// eachOverlay calls use with every file of the overlay under the name that it
// has in Argo's source.
func eachOverlay(use func(name string, content []byte) error) error {
	return fs.WalkDir(overlay, "overlay", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := overlay.ReadFile(path)
		if err != nil {
			return err
		}
		return use(strings.TrimSuffix(strings.TrimPrefix(path, "overlay/"), ".txt"), content)
	})
}
