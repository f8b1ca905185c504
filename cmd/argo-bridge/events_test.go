package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestWhatTheEventsCommandsPrint(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args string
		code int
	}{
		"list.txt":           {"list", 0},
		"list-more.txt":      {"list --limit 2", 0},
		"list.json":          {"list -o json --limit 2", 0},
		"show.txt":           {"show " + pushID, 0},
		"show-payload.txt":   {"show --payload " + pushID, 0},
		"show-waiting.txt":   {"show " + gcsID + " --payload", 0},
		"show-batch.txt":     {"show " + batchID, 0},
		"show.json":          {"show " + pushID + " -o json", 0},
		"tail.txt":           {"tail", 0},
		"tail-waiting.txt":   {"tail --outcome waiting", 0},
		"tail.json":          {"tail -o json", 0},
		"replay.txt":         {"replay " + pushID + " --id r-1", 0},
		"replay.json":        {"replay " + pushID + " --id r-1 -o json", 0},
		"replay-dry-run.txt": {"replay " + pushID + " --id r-1 --dry-run", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out := world().events(t, strings.Fields(c.args)...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			golden(t, filepath.Join("events", name), out)
		})
	}
}

func TestTheManualShowsWhatTheCommandsPrint(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"list.txt", "show.txt", "show-batch.txt", "replay.txt", "replay-dry-run.txt"} {
		text, err := os.ReadFile(filepath.Join("testdata", "events", name))
		if err != nil {
			t.Fatal(err)
		}
		example := string(text)
		if name == "show-batch.txt" { // of which the rules are shown
			_, example, _ = strings.Cut(example, "\n\n")
		}
		if !strings.Contains(string(manual), strings.TrimSpace(example)) {
			t.Errorf("docs/events.md does not show testdata/events/%s", name)
		}
	}
}

func TestFlagsBecomeTheQuery(t *testing.T) {
	t.Parallel()
	f := world()
	code, out := f.events(t, "list", "--source", "github", "--type", "com.github", "--template", "argo/ci", "--rule", "default",
		"--outcome", "rejected", "--since", "2026-03-01T00:00:00Z", "--until", "2026-03-02T00:00:00Z", "--limit", "7")
	want := bridge.Query{
		Source: "github", Type: "com.github", Template: "argo/ci", Rule: "default", Outcome: bridge.Rejected,
		Since: minute(0).Add(-12 * time.Hour), Until: minute(0).Add(12 * time.Hour), Limit: 8,
	}
	if diff := cmp.Diff(want, f.query); diff != "" || code != 0 {
		t.Errorf("code %d\n%s%s", code, diff, out)
	}
	if code, out := f.events(t, "list", "--since", "2h", "--limit", "0"); code != 0 || f.query.Limit != 0 {
		t.Errorf("%d %s", code, out)
	}
	if ago := time.Since(f.query.Since); ago < 2*time.Hour || ago > 2*time.Hour+time.Minute {
		t.Errorf("--since 2h is %s ago", ago)
	}
	if code, out := f.events(t, "list", "--outcome", "skipped"); code != 0 || f.query.Outcome != bridge.Skipped {
		t.Errorf("%d %s", code, out)
	}
}

func TestFlagsBecomeTheReplay(t *testing.T) {
	t.Parallel()
	since := "2026-03-01T00:00:00Z"
	at := minute(0).Add(-12 * time.Hour)
	for name, c := range map[string]struct {
		args string
		want bridge.Replay
	}{
		"an event": {"replay a/b#1 --id r", bridge.Replay{ID: "r", Event: "a/b#1"}},
		"an event by one rule": {"replay --dry-run a --template argo/ci --rule nightly --id r",
			bridge.Replay{ID: "r", Event: "a", Template: "argo/ci", Rule: "nightly", DryRun: true}},
		"the past of a template": {"replay --template ci --rule x --since " + since + " --source github --type com.github --until 2026-03-01T12:00:00Z --id r",
			bridge.Replay{ID: "r", Template: "ci", Rule: "x", Query: bridge.Query{Template: "ci", Rule: "x", Source: "github", Type: "com.github", Since: at, Until: minute(0)}}},
		"what was rejected": {"replay --outcome rejected --id r", bridge.Replay{ID: "r", Query: bridge.Query{Outcome: bridge.Rejected}}},
		"what is parked of a template": {"replay --outcome parked --template ci --rule x --since " + since + " --id r",
			bridge.Replay{ID: "r", Template: "ci", Rule: "x", Query: bridge.Query{Outcome: bridge.Parked, Template: "ci", Rule: "x", Since: at}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := world()
			if code, out := f.events(t, strings.Fields(c.args)...); code != 0 {
				t.Fatalf("%d %s", code, out)
			}
			if diff := cmp.Diff([]bridge.Replay{c.want}, f.replays); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWrongCallsAreCode2AndAskNobody(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"frobnicate":                            `no command "frobnicate": list, show, tail, replay`,
		"list x":                                "events show ID",
		"list --outcome broken":                 `--outcome: "broken" is none of`,
		"list --since tomorrow":                 "--since:",
		"list --limit -1":                       "--limit -1",
		"list --limit x":                        "limit",
		"list --nope":                           "nope",
		"list -o xml":                           "text and json",
		"show":                                  "name one event",
		"show a b":                              "name one event",
		"show a -o xml":                         "text and json",
		"tail --since 2h":                       "events list",
		"tail x":                                "flags only",
		"replay":                                "which events?",
		"replay a b":                            "name one event",
		"replay a --since 2h":                   "both are given",
		"replay a --source github":              "both are given",
		"replay --since 2h":                     "which events?",
		"replay --template ci":                  "since when?",
		"replay --outcome matched":              "which events?",
		"replay --outcome x --template ci":      "--outcome:",
		"replay a --id UPPER":                   "id:",
		"replay a --dry-run --bus nats://x":     "leave out --bus or --dry-run",
		"list --bus nats://x --server http://x": "either --server or --bus",
		"list --server nowhere --token x":       "is no address such as",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			code, out := invoke(t, append([]string{"events"}, strings.Fields(args)...)...)
			if code != 2 || !strings.Contains(out, want) {
				t.Errorf("exit code %d, want 2 and %q:\n%s", code, want, out)
			}
		})
	}
}

func TestWhatGoesWrongIsCode1AndSaidPlainly(t *testing.T) {
	t.Parallel()
	nothing := func(bridge.Replay, func(bridge.Replayed)) error { return nil }
	refused := func(_ bridge.Replay, each func(bridge.Replayed)) error {
		each(bridge.Replayed{Verdict: bridge.Matched, Refused: "no"})
		return nil
	}
	failed := func(_ bridge.Replay, each func(bridge.Replayed)) error {
		each(bridge.Replayed{Verdict: bridge.Matched, Workflow: "argo/ci-x"})
		return errors.New("bus: down")
	}
	for name, c := range map[string]struct {
		args   string
		change func(f *fakeBridge)
		want   string
	}{
		"an event that there is not": {"show nothing", func(*fakeBridge) {}, "nothing: no such event"},
		"the bus is down":            {"list", func(f *fakeBridge) { f.fails = errors.New("bus: down") }, "bus: down"},
		"the bus goes down":          {"tail", func(f *fakeBridge) { f.fails = errors.New("bus: down") }, "bus: down"},
		"nothing is started":         {"replay a --id r", func(f *fakeBridge) { f.replay = nothing }, "replay r: 0 started, 0 not"},
		"all are refused":            {"replay a --dry-run", func(f *fakeBridge) { f.replay = refused }, "0 would start, 1 refused"},
		"a replay that fails":        {"replay a --id r", func(f *fakeBridge) { f.replay = failed }, "replay r: 1 started, 0 not\nbus: down"},
		"a token that is forged":     {"list --token forged", func(*fakeBridge) {}, "does not know the token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := world()
			c.change(f)
			args := strings.Fields(c.args)
			if name == "a token that is forged" {
				server := f.serve(t)[1]
				code, out := invoke(t, "events", "list", "--server", server, "--token", "forged")
				if code != 1 || !strings.Contains(out, c.want) {
					t.Errorf("%d %s", code, out)
				}
				return
			}
			if code, out := f.events(t, args...); code != 1 || !strings.Contains(out, c.want) {
				t.Errorf("exit code %d, want 1 and %q:\n%s", code, c.want, out)
			}
		})
	}
}

// Through the bus alone a replay is only asked for.
func TestAReplayOnTheBusClaimsNothing(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	w := &replayWriter{w: &b}
	w.finish("r-1", true)
	if got := b.String(); !strings.HasPrefix(got, "replay r-1: asked for;") || strings.Contains(got, "started") {
		t.Errorf("%q", got)
	}
}

func TestAnEmptyListSaysSo(t *testing.T) {
	t.Parallel()
	if code, out := (&fakeBridge{}).events(t, "list"); code != 0 || out != "No event fits.\n" {
		t.Errorf("%d %q", code, out)
	}
	if code, out := (&fakeBridge{}).events(t, "list", "-o", "json"); code != 0 || out != "" {
		t.Errorf("%d %q", code, out)
	}
}

func TestATerminalObeysNoPayload(t *testing.T) {
	t.Parallel()
	evil := "a\x1b]0;pwned\a\u202eb\u009b31m\r"
	f := world()
	f.records = f.records[:1]
	f.records[0].Event, f.records[0].Subject, f.records[0].Source = evil, evil, evil
	f.records[0].Results[1].Detail = evil
	f.stories["e"] = bridge.Story{Record: f.records[0], Event: &bridge.Event{Data: []byte("{\"a\":\"\u009b\u202e\"}")}}
	for _, args := range []string{"list", "tail", "show e", "show e --payload"} {
		_, out := f.events(t, strings.Fields(args)...)
		if strings.ContainsAny(out, "\x1b\a\u202e\u009b\r") {
			t.Errorf("%s: %q", args, out)
		}
	}
	if got := plain("a\x1bb\nü→"); got != "a\\u001bb\nü→" {
		t.Errorf("%q", got)
	}
}

func TestArgumentsOfEventsMayStandInAnyOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"flags behind the id":        {"argo-bridge events show ID -n argo", "argo-bridge events show -n argo -- ID"},
		"a flag without a value":     {"argo-bridge events replay --dry-run ID -n argo", "argo-bridge events replay --dry-run -n argo -- ID"},
		"payload is a switch here":   {"argo-bridge events show --payload ID", "argo-bridge events show --payload -- ID"},
		"and a file there":           {"argo-bridge explain --payload p.json", "argo-bridge explain --payload p.json"},
		"a template is one, here":    {"argo-bridge events replay --template a ID", "argo-bridge events replay --template a -- ID"},
		"the command alone":          {"argo-bridge events", "argo-bridge events"},
		"help":                       {"argo-bridge events --help", "argo-bridge events --help"},
		"help of a command":          {"argo-bridge events list --help", "argo-bridge events list --help"},
		"an id that begins with a -": {"argo-bridge events show -n argo -- -x", "argo-bridge events show -n argo -- -x"},
	} {
		if diff := cmp.Diff(strings.Fields(c[1]), arrange(strings.Fields(c[0]))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
