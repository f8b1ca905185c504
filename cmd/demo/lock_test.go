package main

import (
	"strings"
	"testing"
)

func TestAFolderHasOneDemoAtATime(t *testing.T) {
	t.Parallel()
	s := settings{dir: t.TempDir()}
	unlock, err := lock(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock(s); err == nil || !strings.Contains(err.Error(), "another demo runs") {
		t.Errorf("the second demo: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := lock(s); err != nil {
		t.Errorf("after the first demo: %v", err)
	}
}
