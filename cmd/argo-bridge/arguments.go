package main

import (
	"slices"
	"strings"
)

// arrange puts the flags of lint, explain, the events, gcs and github commands before their other arguments, as
// urfave/cli wants them, and repeats --template of explain and the checks before each of several files: people write
// `lint DIR --output json`, `explain --template *.yaml --source github` and `events show ID -n argo`.
func arrange(args []string) []string {
	n := commandLength(args)
	if n == 0 {
		return args
	}
	command := args[1]
	var flags, rest []string
	list := ""
	for i := n; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case len(arg) > 1 && arg[0] == '-':
			flags, list = append(flags, arg), ""
			if name := strings.TrimLeft(arg, "-"); takesValue(command, name) && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
				if command != "events" && name == "template" {
					list = arg
				}
			}
		case list != "":
			flags = append(flags, list, arg)
		default:
			rest = append(rest, arg)
		}
	}
	out := append(slices.Clone(args[:n]), flags...)
	if len(rest) > 0 {
		out = append(append(out, "--"), rest...)
	}
	return out
}

// commandLength is how many words name the program and a command that is arranged; 0 for others.
func commandLength(args []string) int {
	switch {
	case len(args) < 2:
		return 0
	case args[1] == "lint" || args[1] == "explain":
		return 2
	case args[1] == "events" && len(args) > 2 && slices.Contains([]string{"list", "show", "tail", "replay"}, args[2]):
		return 3
	case (args[1] == "gcs" || args[1] == "github") && len(args) > 2 && slices.Contains([]string{"setup", "check"}, args[2]):
		return 3
	}
	return 0
}

// takesValue says whether the flag's value is the next argument.
func takesValue(command, name string) bool {
	switch name {
	case "help", "h", "generate-bash-completion":
		return false
	case "payload", "dry-run":
		return command != "events" && command != "gcs" && command != "github"
	case "force", "no-browser", "cluster-wide":
		return command != "github"
	}
	return !strings.Contains(name, "=")
}
