package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// arrange puts the flags of a command before its other arguments, as urfave/cli wants them, and repeats a flag that may be
// given several times before each of several files: people write `lint DIR --output json`,
// `explain --template *.yaml --source github` and `events show ID -n argo`.
func arrange(args []string) []string {
	command, n := commandOf(newApp(), args)
	if command == nil || len(command.Flags) == 0 {
		return args
	}
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
			takes, many := valuesOf(command, strings.TrimLeft(arg, "-"))
			if !takes || i+1 >= len(args) {
				break
			}
			i++
			if flags = append(flags, args[i]); many {
				list = arg
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

// commandOf is the command that is called, and how many words name it and the program; nil for none.
func commandOf(app *cli.App, args []string) (command *cli.Command, words int) {
	if len(args) < 2 {
		return nil, 0
	}
	command = app.Command(args[1])
	if command == nil || len(command.Subcommands) == 0 {
		return command, 2
	}
	for _, sub := range command.Subcommands {
		if len(args) > 2 && sub.HasName(args[2]) {
			return sub, 3
		}
	}
	return nil, 0
}

// valuesOf says whether the flag's value is the next argument, and whether several may follow.
func valuesOf(command *cli.Command, name string) (takes, many bool) {
	for _, flag := range command.Flags {
		if !slices.Contains(flag.Names(), name) {
			continue
		}
		switch flag.(type) {
		case *cli.BoolFlag:
			return false, false
		case *cli.StringSliceFlag:
			return true, true
		}
		return true, false
	}
	return !slices.Contains([]string{"help", "h", "generate-bash-completion"}, name) && !strings.Contains(name, "="), false
}
