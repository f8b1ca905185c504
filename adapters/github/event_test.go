package github

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-cmp/cmp"
)

const delivery = "72d3162e-cc78-11e3-81ab-4c9367dc0958"

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (run with -update when it should change):\n%s", path, diff)
	}
}

func own(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no events", err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(f), ".json")] = b
	}
	return all
}

func TestEveryDeliveryHasItsEventAndFacts(t *testing.T) {
	t.Parallel()
	for name, body := range own(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event, _, _ := strings.Cut(name, ".")
			e, err := Translate(event, delivery, body)
			if err != nil {
				t.Fatal(err)
			}
			f, ok, err := FactFinder{}.Facts(e)
			if !ok || err != nil {
				t.Fatalf("facts: %v, %v", ok, err)
			}
			v, err := f.Variables()
			if err != nil {
				t.Fatal(err)
			}
			github := v["github"].(map[string]any)
			if diff := cmp.Diff(github["event"], v["data"]); diff != "" {
				t.Errorf("github.event is not data: %s", diff)
			}
			delete(github, "event")
			out, err := json.MarshalIndent(map[string]any{
				"id": e.ID, "source": e.Source, "type": e.Type, "subject": e.Subject, "time": e.Time,
				"name": f.Name, "values": f.Values, "missing": f.Missing, "github": github, "url": f.URL, "actor": f.Actor, "title": f.Title,
				"asks": f.Asks, "vouch": f.Vouch, "commander": f.Commander, "thread": f.Thread, "commit": f.Commit, "replyTo": f.ReplyTo,
			}, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/facts/"+name+".json", string(out)+"\n")
		})
	}
}

func TestEveryRealDeliveryHasAnEventAndFacts(t *testing.T) {
	t.Parallel()
	timeless := []string{"push", "create", "delete", "label", "member", "membership", "organization", "repository_dispatch", "gollum",
		"sponsorship", "star", "team", "team_add", "watch", "ping", "repository_vulnerability_alert"}
	for name, body := range payloads(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := Translate(eventOf(name), delivery, body)
			if err != nil {
				t.Fatal(err)
			}
			check(t, e)
			if e.Time.IsZero() && !slices.Contains(timeless, eventOf(name)) {
				t.Error("no time")
			}
			if e.Subject == "" && !slices.Contains([]string{"star", "watch"}, eventOf(name)) {
				t.Error("no subject")
			}
			f, _, err := FactFinder{}.Facts(e)
			if err != nil {
				t.Fatal(err)
			}
			var p struct {
				Repository struct{ URL, Full_Name string } `json:"repository"`
			}
			_ = json.Unmarshal(body, &p)
			if p.Repository.URL != "" && e.Source != p.Repository.URL {
				t.Errorf("source is %s, not the repository", e.Source)
			}
			if f.URL == "" && eventOf(name) != "security_advisory" {
				t.Error("no URL")
			}
			if f.Title == "" {
				t.Error("no title")
			}
		})
	}
}

// check holds what must hold of every event that a translation makes.
func check(t *testing.T, e bridge.Event) {
	t.Helper()
	if e.ID == "" || e.Source == "" || !json.Valid(e.Data) || !strings.HasPrefix(e.Type, typePrefix) || strings.ContainsAny(e.Type, " \n*>") {
		t.Errorf("not a valid event: %q %q %q", e.ID, e.Source, e.Type)
	}
	f, ok, err := FactFinder{}.Facts(e)
	if !ok || err != nil {
		t.Fatalf("no facts of an event that was translated: %v", err)
	}
	if _, err := f.Variables(); err != nil {
		t.Errorf("no variables: %v", err)
	}
	if strings.ContainsAny(f.Title, "\r\n") {
		t.Errorf("a title of several lines: %q", f.Title)
	}
}

func TestMalformedDeliveriesMakeNoEvent(t *testing.T) {
	t.Parallel()
	for name, d := range map[string][3]string{
		"no event":                    {"", delivery, "{}"},
		"an event that breaks a type": {"a.b", delivery, "{}"},
		"a wildcard":                  {"*", delivery, "{}"},
		"no delivery":                 {"push", "", "{}"},
		"a delivery with a space":     {"push", "a b", "{}"},
		"no body":                     {"push", delivery, ""},
		"half a body":                 {"push", delivery, `{"a":`},
		"two bodies":                  {"push", delivery, `{}{}`},
		"a list":                      {"push", delivery, `[]`},
		"null":                        {"push", delivery, `null`},
		"a very deep body":            {"push", delivery, strings.Repeat(`{"a":`, 1e6) + strings.Repeat("}", 1e6)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if e, err := Translate(d[0], d[1], []byte(d[2])); err == nil {
				t.Errorf("got %+v, want an error", e)
			}
		})
	}
}

func TestTheCommitsOfALargePushAreNotAllItsFiles(t *testing.T) {
	t.Parallel()
	commits := strings.Repeat(`{"added":["a"]},`, maxCommits)
	for name, tt := range map[string]struct{ body, missing string }{
		"truncated":      {`{"ref":"refs/heads/main","commits":[` + strings.TrimSuffix(commits, ",") + `]}`, "lists only 2048"},
		"without a list": {`{"ref":"refs/heads/main"}`, "no list of commits"},
	} {
		e, err := Translate("push", delivery, []byte(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		f, _, err := FactFinder{}.Facts(e)
		if _, ok := f.Values["paths"]; err != nil || ok || !strings.Contains(f.Missing["paths"], tt.missing) {
			t.Errorf("%s: paths %v, missing %q, %v", name, ok, f.Missing["paths"], err)
		}
	}
}

func TestFactsOfOthersEvents(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"com.slack.message", "com.github.", "push"} {
		if _, ok, _ := (FactFinder{}).Facts(bridge.Event{Type: typ, Data: json.RawMessage("{}")}); ok {
			t.Errorf("took %q for GitHub's", typ)
		}
	}
	if _, ok, err := (FactFinder{}).Facts(bridge.Event{Type: "com.github.push", Data: json.RawMessage(`"x"`)}); !ok || err == nil {
		t.Errorf("got %v, %v; want an error", ok, err)
	}
}

func TestNumbersStayWhole(t *testing.T) {
	t.Parallel()
	e, err := Translate("repository_dispatch", delivery, own(t)["repository_dispatch.on-demand"])
	if err != nil {
		t.Fatal(err)
	}
	f, _, _ := FactFinder{}.Facts(e)
	v, err := f.Variables()
	if err != nil {
		t.Fatal(err)
	}
	data := v["data"].(map[string]any)
	if got := fmt.Sprint(data["repository"].(map[string]any)["id"]); got != "186853002" {
		t.Errorf("got %s", got)
	}
	if diff := cmp.Diff(map[string]any{"n": int64(3), "f": 1.5}, data["client_payload"]); diff != "" {
		t.Error(diff)
	}
}

func FuzzTranslate(f *testing.F) {
	for name, body := range own(f) {
		event, _, _ := strings.Cut(name, ".")
		f.Add(event, delivery, body)
	}
	f.Add("push", "x", []byte(`{"commits":[{"added":{"a":1}},null,3],"repository":[],"ref":{}}`))
	f.Fuzz(func(t *testing.T, name, id string, body []byte) {
		e, err := Translate(name, id, body)
		if err != nil {
			return
		}
		check(t, e)
		if _, err := url.Parse("/" + e.ID); err != nil {
			t.Errorf("an id that no URL takes: %q", e.ID)
		}
	})
}

func TestPushesAreOrderedByWhenGitHubGotThem(t *testing.T) {
	t.Parallel()
	version := func(pushed, committed string) string {
		body := fmt.Sprintf(`{"ref": "refs/heads/main", "after": "1", "repository": {"full_name": "acme/app", "url": "https://github.com/acme/app", "pushed_at": %s},
			"head_commit": {"timestamp": %q}}`, pushed, committed)
		e, err := Translate("push", "d", []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		f, _, err := FactFinder{}.Facts(e)
		if err != nil {
			t.Fatal(err)
		}
		return f.Version
	}
	first, reset := version("1700000000", "2026-01-02T00:00:00Z"), version("1700000100", "2020-01-01T00:00:00Z")
	if first >= reset {
		t.Errorf("a branch that was set back to an older commit: %s is not before %s", first, reset)
	}
	if got := version("null", "2026-01-02T00:00:00Z"); got != version("0", "2020-01-01T00:00:00Z") {
		t.Errorf("without the time of the push: %s", got)
	}
}
