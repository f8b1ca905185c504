package picture

import (
	"bytes"
	"encoding/json"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// everything is a message of all that is drawn, and of some that is not.
const everything = `{"text": "All of it, &lt;b&gt; too.", "blocks": [
 {"type": "header", "text": {"type": "plain_text", "text": ":x: All of it"}},
 {"type": "section", "text": {"type": "mrkdwn", "text": "*bold* _italic_ ~struck~ ` + "`code <b>`" + ` <https://a.example?b=1&amp;c=2|a link> <@U1> <!subteam^S1|@oncall> <!here>\n&gt; quoted\n` + "```\\nfenced <i>\\n  twice\\n```" + `"},
  "accessory": {"type": "button", "text": {"type": "plain_text", "text": "Beside"}, "style": "danger"}},
 {"type": "section", "fields": [{"type": "mrkdwn", "text": "*A*\n1"}, {"type": "mrkdwn", "text": "*B*\n2"}, {"type": "plain_text", "text": "C <script>alert(1)</script>"}]},
 {"type": "divider"},
 {"type": "context", "elements": [{"type": "mrkdwn", "text": "<!date^1772366400^{time}|12:00 UTC> :nonsense: :lock:"}, {"type": "image", "image_url": "https://a.example/i.png", "alt_text": "an icon"}]},
 {"type": "input", "block_id": "b", "label": {"type": "plain_text", "text": "Where"}, "optional": true, "hint": {"type": "plain_text", "text": "A hint."},
  "element": {"type": "static_select", "options": [{"text": {"type": "plain_text", "text": "one"}, "value": "1"}]}},
 {"type": "input", "label": {"type": "plain_text", "text": "What"}, "element": {"type": "plain_text_input", "initial_value": "x"}},
 {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Go"}, "style": "primary"}, {"type": "datepicker"}]},
 {"type": "image", "image_url": "https://a.example/i.png", "alt_text": "a chart"},
 {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "rich"}]}]}
], "attachments": [{"color": "#2eb67d", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "below"}}]}, {"color": "javascript:alert(1)", "text": "old"}]}`

func parse(t *testing.T, text string) Message {
	t.Helper()
	m, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAMessageOfEverything(t *testing.T) {
	t.Parallel()
	m := parse(t, everything)
	var bare, coloured, page, drawn bytes.Buffer
	for _, err := range []error{m.WriteText(&bare, false), m.WriteText(&coloured, true), m.WriteHTML(&page), m.WritePNG(&drawn)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "everything.txt", bare.String())
	golden(t, "everything.ansi", coloured.String())
	golden(t, "everything.html", page.String())
	if *update {
		golden(t, "everything.png", drawn.String())
	}
	if strings.Contains(page.String(), "<script>") || strings.Contains(page.String(), "javascript:") {
		t.Error("a script got into the page")
	}
	picture, err := png.Decode(&drawn)
	if err != nil || picture.Bounds().Dx() != pictureWidth*scale || picture.Bounds().Dy() < 1000 {
		t.Errorf("the picture: %v, %v", picture.Bounds(), err)
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

func TestMarkup(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text string
		want []span
	}{
		"bold within italic":       {"_a *b*_", []span{{Text: "a ", Italic: true}, {Text: "b", Italic: true, Bold: true}}},
		"stars that are no markup": {"2 * 3", []span{{Text: "2 * 3"}}},
		"snake_case stays":         {"a_b_c", []span{{Text: "a_b_c"}}},
		"entities":                 {"a &lt; b &amp;&amp; c", []span{{Text: "a < b && c"}}},
		"a link without a label":   {"<https://a.example>", []span{{Text: "https://a.example", Link: "https://a.example"}}},
		"a channel":                {"<#C1|general>", []span{{Text: "#general", Mention: true}}},
		"an emoji in words":        {"a :x: b", []span{{Text: "a "}, {Emoji: "x"}, {Text: " b"}}},
		"a time is no emoji":       {"12:30:x:", []span{{Text: "12:30"}, {Emoji: "x"}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, Text{Type: "mrkdwn", Text: c.text}.paragraphs()[0].Spans, cmp.AllowUnexported(span{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsNoMessageIsAnError(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "  ", "x", `"text"`, `{"blocks": {}}`, `[1]`, `[{"type": 3}]`} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), "array of blocks") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestATerminalIsNotMoved(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := parse(t, `[{"type":"section","text":{"type":"mrkdwn","text":"a\u001b[2Jb\u009bc `+"`\\u001b[1m`"+`"}}]`).WriteText(&out, false); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\u009b") {
		t.Errorf("%q", out.String())
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte(`[{"type":"section","text":{"type":"mrkdwn","text":"` + strings.Repeat("long", 500) + `"}}]`))
	f.Add([]byte("[{\"type\":\"context\",\"elements\":[{\"type\":\"mrkdwn\",\"text\":\"``` *_<@>\"}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		var text, page, drawn bytes.Buffer
		for _, err := range []error{m.WriteText(&text, true), m.WriteHTML(&page), m.WritePNG(&drawn)} {
			if err != nil {
				t.Error(err)
			}
		}
	})
}

func FuzzText(f *testing.F) {
	f.Add("*a* _b_ ~c~ `d` <https://e|f> ```g``` :x:")
	f.Fuzz(func(t *testing.T, text string) {
		data, err := json.Marshal([]any{map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": text}}})
		if err != nil {
			t.Skip()
		}
		var out bytes.Buffer
		if m, err := Parse(data); err != nil || m.WritePNG(&out) != nil {
			t.Error(err)
		}
	})
}
