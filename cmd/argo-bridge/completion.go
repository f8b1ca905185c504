package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// The scripts ask the program itself, by the flag that urfave/cli answers with one word a line.
const (
	bashCompletion = `_argo_bridge() {
  local cur="${COMP_WORDS[COMP_CWORD]}" words
  if [[ "$cur" == -* ]]; then
    words=$("${COMP_WORDS[@]:0:COMP_CWORD}" "$cur" --generate-bash-completion 2>/dev/null)
  else
    words=$("${COMP_WORDS[@]:0:COMP_CWORD}" --generate-bash-completion 2>/dev/null)
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o bashdefault -o default -F _argo_bridge argo-bridge
`
	zshCompletion = `#compdef argo-bridge
_argo_bridge() {
  local -a found
  if [[ "${words[-1]}" == -* ]]; then
    found=("${(@f)$(${words[@]:0:$#words-1} ${words[-1]} --generate-bash-completion 2>/dev/null)}")
  else
    found=("${(@f)$(${words[@]:0:$#words-1} --generate-bash-completion 2>/dev/null)}")
  fi
  if [[ -n "${found[1]}" ]]; then _describe argo-bridge found; else _files; fi
}
compdef _argo_bridge argo-bridge
`
)

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a completion script for bash, zsh or fish",
		ArgsUsage: "bash|zsh|fish",
		Description: "bash:  source <(argo-bridge completion bash)\n" +
			"zsh:   source <(argo-bridge completion zsh)\n" +
			"fish:  argo-bridge completion fish | source",
		BashComplete: func(c *cli.Context) {
			for _, shell := range []string{"bash", "zsh", "fish"} {
				_, _ = fmt.Fprintln(c.App.Writer, shell)
			}
		},
		Action: func(c *cli.Context) error {
			script, err := completionScript(c.App, c.Args().First())
			if err != nil {
				return cli.Exit(err.Error(), 2)
			}
			_, err = fmt.Fprint(c.App.Writer, script)
			return err
		},
	}
}

func completionScript(a *cli.App, shell string) (string, error) {
	switch shell {
	case "bash":
		return bashCompletion, nil
	case "zsh":
		return zshCompletion, nil
	case "fish":
		return a.ToFishCompletion()
	}
	return "", fmt.Errorf("completion: name a shell: bash, zsh or fish (got %q)", shell)
}
