package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
)

// openBrowser opens a page in the desktop's browser; an error where there is no desktop.
func openBrowser(page string) error {
	name, args := "xdg-open", []string{page}
	switch {
	case runtime.GOOS == "darwin":
		name = "open"
	case runtime.GOOS == "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", page}
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return errors.New("there is no desktop")
	}
	command := exec.Command(name, args...)
	if err := command.Start(); err != nil {
		return err
	}
	return command.Process.Release()
}
