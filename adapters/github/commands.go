package github

import (
	"regexp"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// What a comment may hold of commands; more is not looked at.
const (
	maxCommands = 20
	maxWords    = 100
)

// commands are the lines of a new comment that begin with a slash. An edited comment gives none: what was answered
// yesterday would be done again.
func (p payload) commands() (all []bridge.Command) {
	if !spoken[p.name] || p.edited() {
		return nil
	}
	for line := range strings.Lines(p.commented().String()) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "/") {
			continue
		}
		if all = append(all, command(strings.Clone(line))); len(all) == maxCommands {
			break
		}
	}
	return all
}

// edited says that something was done to a comment that had been there before.
func (p payload) edited() bool {
	switch p.text("action") {
	case "edited", "deleted", "dismissed":
		return true
	}
	return false
}

var argument = regexp.MustCompile(`^([A-Za-z0-9_][A-Za-z0-9_.-]*)=(.*)$`)

// command reads one line: /deploy words key=value. A value with spaces stands in double quotes.
func command(line string) bridge.Command {
	words := split(line)
	c := bridge.Command{Name: words[0]}
	for _, word := range words[1:] {
		m := argument.FindStringSubmatch(word)
		switch {
		case m != nil:
			if c.Arguments == nil {
				c.Arguments = map[string]string{}
			}
			c.Arguments[m[1]] = m[2]
		case c.Arguments == nil:
			c.Words = append(c.Words, word)
		}
	}
	return c
}

// split cuts a line at its white space, outside of double quotes; a quote that is not closed ends with the line.
func split(line string) (words []string) {
	var word strings.Builder
	quoted, begun := false, false
	end := func() {
		if begun && len(words) < maxWords {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	for _, r := range line {
		switch {
		case r == '"':
			quoted, begun = !quoted, true
		case !quoted && (r == ' ' || r == '\t'):
			end()
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	end()
	return words
}

var shortCommit = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// order is what the event asks of the bridge itself.
func (p payload) order(app Identity) *bridge.Order {
	switch p.name {
	case "check_run", "check_suite":
		return p.button(app)
	case "issue_comment":
		if !p.underPullRequest() {
			return nil
		}
		for _, c := range p.commands() {
			if o := builtIn(c); o != nil {
				return o
			}
		}
	}
	return nil
}

// builtIn is the order that a command of a comment gives; the first of a comment counts.
func builtIn(c bridge.Command) *bridge.Order {
	o := &bridge.Order{Word: c.Name}
	if len(c.Words) > 0 {
		o.Template = c.Words[0]
	}
	switch c.Name {
	case "/ok-to-test":
		o.Act, o.Commit, o.Template = bridge.Approve, strings.ToLower(o.Template), ""
		if !shortCommit.MatchString(o.Commit) {
			o.Fault = "name the commit that you have read, with at least seven digits: /ok-to-test 1a2b3c4"
		}
	case "/retest":
		o.Act = bridge.Retest
	case "/test":
		o.Act = bridge.Test
		if o.Template == "" {
			o.Fault = "name a template: /test ci"
		}
	case "/cancel":
		o.Act = bridge.Cancel
	default:
		return nil
	}
	return o
}

// button is what somebody has clicked at a check of the bridge.
func (p payload) button(app Identity) *bridge.Order {
	if app.ID == 0 || p.Get(p.name+".app.id").Int() != app.ID {
		return nil
	}
	run := p.text("check_run.external_id")
	switch action := p.text("action"); {
	case p.name == "check_run" && action == "rerequested" && run != "":
		return &bridge.Order{Act: bridge.Rerun, Word: "Re-run", Runs: []string{run}}
	case p.name == "check_suite" && action == "rerequested":
		return &bridge.Order{Act: bridge.Rerun, Word: "Re-run all", Commit: p.text("check_suite.head_sha")}
	case p.name == "check_run" && action == "requested_action" && p.text("requested_action.identifier") == "cancel" && run != "":
		return &bridge.Order{Act: bridge.Stop, Word: "Cancel", Runs: []string{run}}
	}
	return nil
}
