package main

import (
	"regexp"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
)

// What the demo's GitHub knows: the pull request of examples/payloads.
const (
	forgeApp          = 7
	forgeInstallation = 7000
	forgeRepository   = "acme/app"
	forgeCommit       = "5d41402abc4b2a76b9719d911017c592f00dcafe"
)

// A forge is a GitHub with the bridge's App.
type forge struct{ *githubtest.Server }

func startForge() (*forge, error) {
	s, err := githubtest.Start(githubtest.Options{AppID: forgeApp})
	if err != nil {
		return nil, err
	}
	s.Install(githubtest.Installation{ID: forgeInstallation, Account: "acme", Repositories: []string{forgeRepository}})
	s.SetCommit(forgeRepository, githubtest.Commit{SHA: forgeCommit, Message: "show prices with tax", Author: "hubot"})
	return &forge{s}, nil
}

// check is how the check run of the pull request looks now, and how it came there; false: there is none.
func (f *forge) check() (head string, lines []text, ok bool) {
	for _, c := range f.CheckRuns(forgeRepository) {
		if c.HeadSHA != forgeCommit {
			continue
		}
		style := plain
		if c.Conclusion != "" && c.Conclusion != "success" {
			style = red
		}
		lines = append(lines, text{mark(c.Conclusion) + " " + c.Name, bold}, text{strings.Join(c.History, " → "), style})
		if took := c.CompletedAt.Sub(c.StartedAt); took > 0 {
			lines = append(lines, text{"in " + took.Round(time.Second).String(), dim})
		}
		for line := range strings.SplitSeq(c.Summary, "\n") {
			if line = strings.TrimRight(line, " "); line != "" && !strings.HasPrefix(line, "```") {
				lines = append(lines, text{unescape(line), plain})
			}
		}
		return "a check on " + forgeCommit[:7], lines, true
	}
	return "", nil, false
}

// mark is the sign that GitHub shows.
func mark(conclusion string) string {
	switch conclusion {
	case "":
		return "🟡"
	case "success":
		return "✅"
	}
	return "❌"
}

var markdownLink = regexp.MustCompile(`\[([^\]]*)\]\(<?[^)>]*>?\)`)

// unescape is a line of Markdown as it reads, as far as the bridge's summaries need it.
func unescape(line string) string {
	line = strings.TrimLeft(markdownLink.ReplaceAllString(line, "$1"), "# ")
	return strings.NewReplacer("\\", "", "**", "", "&#8203;", "", "&nbsp;", " ", "`", "").Replace(line)
}
