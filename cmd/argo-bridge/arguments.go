package main

import "strings"

// arrange puts the flags of lint and explain before their other arguments, as urfave/cli wants them,
// and repeats --template before each of several files: people write `lint DIR --output json` and
// `explain --template *.yaml --source github`.
func arrange(args []string) []string {
	if len(args) < 2 || (args[1] != "lint" && args[1] != "explain") {
		return args
	}
	var flags, rest []string
	list := ""
	for i := 2; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case len(arg) > 1 && arg[0] == '-':
			flags, list = append(flags, arg), ""
			if name := strings.TrimLeft(arg, "-"); takesValue(name) && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
				if name == "template" {
					list = arg
				}
			}
		case list != "":
			flags = append(flags, list, arg)
		default:
			rest = append(rest, arg)
		}
	}
	out := append([]string{args[0], args[1]}, flags...)
	if len(rest) > 0 {
		out = append(append(out, "--"), rest...)
	}
	return out
}

// takesValue says whether the flag's value is the next argument.
func takesValue(name string) bool {
	return name != "help" && name != "h" && name != "generate-bash-completion" && !strings.Contains(name, "=")
}
