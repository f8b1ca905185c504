package main

import (
	"io/fs"
	"os"
	"path/filepath"
)

// copyTree copies a module out of the module cache, without what is left out,
// and writable: files in the cache are not.
func copyTree(source, target string) error {
	return filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		switch {
		case left[filepath.ToSlash(name)] && entry.IsDir():
			return filepath.SkipDir
		case left[filepath.ToSlash(name)] || entry.IsDir() || !entry.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return write(filepath.Join(target, name), content)
	})
}

// write creates a file and the folders above it.
func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
