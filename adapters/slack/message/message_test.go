package message_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/adapters/slack/picture"
	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMessages(t *testing.T) {
	t.Parallel()
	for name, a := range samples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compare(t, name, message.Message(a), a.Mentions, a.Newest.Options["blocks"]+strings.Join(a.Notes, ""))
		})
	}
	for name, r := range threads() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compare(t, name, r, nil, "")
		})
	}
}

// compare compares a message with its golden files.
func compare(t *testing.T, name string, r message.Rendered, mentions []string, author string) {
	t.Helper()
	held(t, r, mentions, author)
	text := indented(t, r)
	golden(t, name+".json", text)
	m, err := picture.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var seen, drawn bytes.Buffer
	if err := errors.Join(m.WriteText(&seen, false), m.WritePNG(&drawn)); err != nil {
		t.Fatal(err)
	}
	golden(t, name+".txt", seen.String())
	looks(t, name+".png", drawn.Bytes())
}

// looks compares pictures: another processor may round an edge otherwise, but not much.
func looks(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		golden(t, name, string(got))
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run with -update", err)
	}
	a, errA := png.Decode(bytes.NewReader(want))
	b, errB := png.Decode(bytes.NewReader(got))
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(want, got) {
		return
	}
	if a.Bounds() != b.Bounds() {
		t.Fatalf("%s is %v, want %v; run with -update when it should change", path, b.Bounds(), a.Bounds())
	}
	off := 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			ar, ag, ab, _ := a.At(x, y).RGBA()
			br, bg, bb, _ := b.At(x, y).RGBA()
			if max(ar, br)-min(ar, br) > 1<<12 || max(ag, bg)-min(ag, bg) > 1<<12 || max(ab, bb)-min(ab, bb) > 1<<12 {
				off++
			}
		}
	}
	if off > 20 {
		t.Errorf("%s: %d points look otherwise; run with -update when they should", path, off)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
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

// posted is the message as chat.postMessage gets it.
type posted struct {
	Text        string          `json:"text"`
	Blocks      json.RawMessage `json:"blocks"`
	Attachments []struct {
		Color  string          `json:"color"`
		Blocks json.RawMessage `json:"blocks"`
	} `json:"attachments,omitempty"`
}

func post(t *testing.T, r message.Rendered) (all posted) {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func indented(t *testing.T, r message.Rendered) string {
	t.Helper()
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(data)) + "\n"
}

// mark finds what Slack would act upon: anything in angle brackets. links and dates are the bridge's own.
var (
	mark  = regexp.MustCompile(`<[^>]*>`)
	links = regexp.MustCompile(`^<(https?://|!date\^)`)
)

// held holds what must hold of every message: Slack takes it, and nothing in it mentions anybody but those who are to be.
func held(t *testing.T, r message.Rendered, mentions []string, author string) {
	t.Helper()
	all := post(t, r)
	if all.Text == "" || len([]rune(all.Text)) > 1000 || mark.MatchString(all.Text) || strings.ContainsAny(all.Text, "\n\r") {
		t.Errorf("the sentence: %q", all.Text)
	}
	blocks := parts(t, all.Blocks)
	for _, a := range all.Attachments {
		blocks = append(blocks, parts(t, a.Blocks)...)
	}
	raw, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	attachments, err := json.Marshal(all.Attachments)
	if err != nil {
		t.Fatal(err)
	}
	if word, detail := slacktest.CheckMessage(all.Blocks, attachments); word != "" {
		t.Errorf("Slack refuses it: %s: %s", word, detail)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	for _, text := range markups(tree) {
		for _, m := range mark.FindAllString(text, -1) {
			if !links.MatchString(m) && !slices.Contains(mentions, m) && !strings.Contains(author, m) {
				t.Errorf("a mention or command got through: %q", m)
			}
		}
	}
}

func parts(t *testing.T, raw json.RawMessage) (blocks []json.RawMessage) {
	t.Helper()
	if len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, &blocks); err != nil {
		t.Fatal(err)
	}
	return blocks
}

// markups are all texts in Slack's markup.
func markups(tree any) (all []string) {
	switch v := tree.(type) {
	case []any:
		for _, e := range v {
			all = append(all, markups(e)...)
		}
	case map[string]any:
		if text, ok := v["text"].(string); ok && v["type"] == "mrkdwn" {
			all = append(all, text)
		}
		for _, e := range v {
			all = append(all, markups(e)...)
		}
	}
	return all
}

// hostile is an alert all of whose texts are s.
func hostile(a message.Alert, s, text string) message.Alert {
	n := &a.Newest
	n.Text, n.Reason, n.Link = text, s, "https://argo.example/"+s
	r := &n.Run
	r.Name, r.Rule, r.Message, r.Namespace, r.UID, r.Template.Name = s, s, s, s, s, s
	if r.Phase != "Succeeded" && r.Phase != "Running" && r.Phase != "Failed" {
		r.Phase = s
	}
	r.Parameters, a.Lines = slices.Clip(r.Parameters), slices.Clone(a.Lines) // others have them too
	for range 60 {
		r.Parameters = append(r.Parameters, bridge.Parameter{Name: s, Value: s})
	}
	r.Failures = nil
	for range 20 {
		r.Failures = append(r.Failures, bridge.Failure{Path: s, Message: s, ExitCode: s, Attempts: 7, Log: []string{s, s, s}})
	}
	r.Annotations = map[string]string{bridge.AnnotationEventTitle: s, bridge.AnnotationActor: s, bridge.AnnotationEventURL: "https://x.example/" + s}
	for i := range a.Lines {
		a.Lines[i] = message.Line{Template: r.Template, Run: r.ID(), Link: n.Link, Step: s, Message: s, At: noon}
	}
	if a.By != nil {
		a.By = &message.Line{Template: r.Template, Run: bridge.RunID{Namespace: s, Name: s}, Link: n.Link, At: noon.Add(time.Hour)}
	}
	if a.Cause != "" {
		a.Cause = s
	}
	a.Mentions = []string{s, "<@U024BE7LH>"}
	if n.Pause != nil {
		d, p := bridge.Declared{Name: s, Description: s, Default: &s, Enum: []string{s, "b"}}, *n.Pause
		p.Path, p.Message, p.Node, p.Inputs = s, s, s, []bridge.Declared{d, d, {Name: "b", Enum: []string{"a", s}}, {Name: "c", Description: s, Default: &s}}
		for range 40 {
			p.Inputs = append(p.Inputs, bridge.Declared{Name: "n" + s[:min(len(s), 3)], Description: s, Enum: []string{"a", "b"}})
		}
		n.Pause = &p
	}
	return a
}

var attacks = map[string]string{
	"a mention":         "<!channel> <@U1> <#C1|x> @here",
	"a masked link":     "<https://evil.example|https://good.example>",
	"a code fence":      "``` <!here> ``` `<!here>`",
	"very long":         strings.Repeat("long ", 5000),
	"one long word":     strings.Repeat("long", 5000),
	"much to escape":    strings.Repeat("<&>", 5000),
	"many addresses":    strings.Repeat("https://a.b ", 5000),
	"wide characters":   strings.Repeat("🧨", 5000),
	"nothing":           "",
	"white space":       " \n\t ",
	"broken characters": "\xff\xfe",
	"a broken address":  "%zz|>\n<!channel>",
	"a date":            "<!date^1^{date}|x>",
}

func TestNoTextBreaksAMessage(t *testing.T) {
	t.Parallel()
	for kind, a := range samples() {
		for name, s := range attacks {
			for own, text := range map[string]string{"": "", " with own text": s} {
				t.Run(kind+" "+name+own, func(t *testing.T) {
					t.Parallel()
					author := a.Newest.Options["blocks"]
					a := hostile(a, s, text)
					held(t, message.Message(a), []string{"<@U024BE7LH>"}, author+strings.Join(a.Notes, ""))
					held(t, message.Details(a.Newest), nil, "")
					held(t, message.Recovery(a.Newest), nil, "")
				})
			}
		}
	}
}

func FuzzMessage(f *testing.F) {
	all := samples()
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range all {
			if !yield(name) {
				return
			}
		}
	})
	for _, s := range attacks {
		f.Add(s[:min(len(s), 4000)], "text", uint8(2))
	}
	f.Fuzz(func(t *testing.T, s, own string, i uint8) {
		a := all[names[int(i)%len(names)]]
		author := a.Newest.Options["blocks"]
		a.Lines = slices.Clone(a.Lines)
		a = hostile(a, s, own)
		held(t, message.Message(a), []string{"<@U024BE7LH>"}, author+strings.Join(a.Notes, ""))
		held(t, message.Details(a.Newest), nil, "")
		held(t, message.Recovery(a.Newest), nil, "")
	})
}
