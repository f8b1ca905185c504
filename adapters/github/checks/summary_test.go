package checks

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// failedNote is a run that failed at two steps, one of which shows what outsiders can write.
func failedNote() bridge.Notification {
	m := note(TargetCheck, bridge.Failed)
	at := func(second int) time.Time { return began.Add(time.Duration(second) * time.Second) }
	m.Run.Steps = []bridge.Step{
		{Name: "lint", Phase: "Succeeded", Started: at(1), Finished: at(13)},
		{Name: "build", Phase: "Failed", Started: at(1), Finished: at(130)},
		{Name: "compile(0:a)", Depth: 1, Phase: "Failed", Started: at(2), Finished: at(90)},
		{Name: "compile(1:b\n```\n@team)", Depth: 1, Phase: "Error"},
		{Name: "deploy", Phase: "Omitted"},
		{Name: "onExit", Phase: "Succeeded", Started: at(131), Finished: at(131)},
	}
	m.Run.Failures = []bridge.Failure{
		{
			Path: "build / compile(0:a)", Phase: "Failed", ExitCode: "2", Message: "Error (exit code 2)",
			Log: []string{"main.go:12:3: undefined: x", "````", "@everyone [click](https://evil.example.com)", "make: *** [all] Error 2"},
		},
		{Path: "build / compile(1:b)", Phase: "Error", Message: "cc @everyone `[x](https://evil.example.com)`\n# big"},
	}
	return m
}

func TestSummaries(t *testing.T) {
	t.Parallel()
	at := addressIn(t)
	with := func(m bridge.Notification, change func(*bridge.Notification)) bridge.Notification {
		change(&m)
		return m
	}
	reason := func(why string) func(*bridge.Notification) {
		return func(m *bridge.Notification) { m.Reason = why }
	}
	cases := map[string]bridge.Notification{
		"queued":    with(note("", bridge.Queued), reason("concurrency: its turn has not come")),
		"held":      with(note("", bridge.EventHeld), reason("octocat has read permission in acme/app, not write")),
		"skipped":   with(note("", bridge.EventSkipped), reason("latest-only: a newer event has come")),
		"rejected":  with(note("", bridge.EventRejected), reason("parameter \"sha\": github.sha is null\n@everyone ``x``")),
		"running":   note("", bridge.Started),
		"succeeded": note("", bridge.Succeeded),
		"failed":    failedNote(),
		"stopped": with(note("", bridge.Completed), func(m *bridge.Notification) {
			m.Run.Annotations[bridge.AnnotationStopped] = "a later event takes its place"
		}),
		"never-started": with(note("", bridge.Failed), func(m *bridge.Notification) {
			m.Run.Message, m.Run.Phase = "invalid spec: template \"main\" not found", "Error"
		}),
		"own-text": with(note("", bridge.Succeeded), func(m *bridge.Notification) {
			m.Text, m.Run.Rule = "Preview: **https://preview.example.com**\n", "nightly"
		}),
	}
	for name, m := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := stageOf(m)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".md", "# "+title(m, s)+"\n\n"+summary(m, at, s))
		})
	}
}

// outside is the text of a summary without what stands as code.
func outside(text string) string {
	var kept []string
	fence := ""
	for line := range strings.SplitSeq(text, "\n") {
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(ticks) >= 3 && line == ticks+"text":
			fence = ticks
		case fence != "" && line == fence:
			fence = ""
		case fence == "":
			kept = append(kept, spans(line))
		}
	}
	return strings.Join(kept, "\n")
}

// spans takes the code out of a line.
func spans(line string) string {
	var b strings.Builder
	for {
		at := backticks.FindStringIndex(line)
		if at == nil {
			return b.String() + line
		}
		ticks := line[at[0]:at[1]]
		b.WriteString(line[:at[0]])
		line = line[at[1]:]
		end := -1
		for _, close := range backticks.FindAllStringIndex(line, -1) {
			if close[1]-close[0] == len(ticks) {
				end = close[1]
				break
			}
		}
		if end < 0 {
			b.WriteString(ticks)
			continue
		}
		line = line[end:]
	}
}

func TestNothingThatOutsidersWriteIsMoreThanCode(t *testing.T) {
	t.Parallel()
	text := outside(summary(failedNote(), addressIn(t), stageEnded))
	for _, word := range []string{"everyone", "@", "evil", "big", "rm -rf"} {
		if strings.Contains(text, word) {
			t.Errorf("%q is to be seen outside of code in\n%s", word, text)
		}
	}
}

func FuzzSummary(f *testing.F) {
	for _, seed := range []string{"", "`", "``` @x", "````text\n```", "a\n\n# b", "~~~", "\xff`", "\u202e@all"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, message, line string) {
		m := failedNote()
		m.Run.Failures[0].Message, m.Run.Failures[0].Log = message+"@MARK", []string{line, "@MARK" + line}
		m.Run.Steps[0].Name = line + "@MARK"
		m.Run.Annotations[bridge.AnnotationEventTitle] = message + "@MARK"
		text := summary(m, addressIn(t), stageEnded)
		if strings.Contains(outside(text), "@MARK") {
			t.Errorf("seen outside of code:\n%s", text)
		}
		if len(text) > maxSummary || !utf8.ValidString(text) {
			t.Errorf("%d bytes, valid %v", len(text), utf8.ValidString(text))
		}
	})
}

func TestALongSummaryLosesItsLogsFirst(t *testing.T) {
	t.Parallel()
	wide := func(steps, failures int) string {
		m := failedNote()
		m.Run.Steps, m.Run.Failures = nil, nil
		for i := range steps {
			m.Run.Steps = append(m.Run.Steps, bridge.Step{Name: fmt.Sprint("step-", i, "-", strings.Repeat("ü", 50)), Depth: 40, Phase: "Failed"})
		}
		for i := range failures {
			f := bridge.Failure{Path: fmt.Sprint("step-", i), Message: strings.Repeat("€", 1300)}
			for range 20 {
				f.Log = append(f.Log, "log: "+strings.Repeat("ä", 100))
			}
			m.Run.Failures = append(m.Run.Failures, f)
		}
		m.Text = strings.Repeat("own text ", 3000)
		return summary(m, addressIn(t), stageEnded)
	}
	for name, tt := range map[string]struct {
		steps, failures int
		log, last       bool
	}{
		"all fits":        {10, 2, true, true},
		"logs go":         {200, 10, false, true},
		"all is too long": {200, 100, false, true},
	} {
		text := wide(tt.steps, tt.failures)
		if len(text) > maxSummary || !utf8.ValidString(text) {
			t.Errorf("%s: %d bytes, valid %v", name, len(text), utf8.ValidString(text))
		}
		if got := strings.Contains(text, "log: "); got != tt.log {
			t.Errorf("%s: logs shown %v", name, got)
		}
		if got := strings.Contains(text, fmt.Sprint("step-", tt.steps-1, "-")); got != tt.last {
			t.Errorf("%s: last step shown %v", name, got)
		}
	}
}

func TestDurationsForPeople(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "less than 1s", 1400 * time.Millisecond: "1s", 59600 * time.Millisecond: "1m 0s", 134 * time.Second: "2m 14s", 25*time.Hour + 3*time.Minute: "25h 3m",
	} {
		if got := took(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
