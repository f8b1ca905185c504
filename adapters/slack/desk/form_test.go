package desk

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	own "github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func ptr(s string) *string { return &s }

var carried = own.Form{Template: "team/etl", Channel: "C0OPS", ChannelName: "ops", ResponseURL: "https://hooks.slack.com/commands/T0/1/abc", Command: "/argo", At: 1772323200}

// check opens a form with a Slack that holds it to its limits.
func check(t *testing.T, tmpl Template, given ...bridge.Parameter) (raw []byte, fits bool) {
	t.Helper()
	view, fits := form(tmpl, given, carried)
	if !fits {
		return nil, false
	}
	raw, err := json.MarshalIndent(view, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if word, detail := slacktest.CheckView(raw); word != "" {
		t.Errorf("%s: %s", word, detail)
	}
	if len(raw) > 250_000 {
		t.Errorf("%d bytes", len(raw))
	}
	return raw, true
}

func TestTheFormOfATemplate(t *testing.T) {
	t.Parallel()
	raw, _ := check(t, Template{
		Ref:         bridge.Template{Namespace: "team", Name: "a-template-with-a-long-name"},
		Description: "Loads what is <new>.\nSee https://example.com",
		Declared: []bridge.Declared{
			{Name: "date", Description: "which day\nto load"}, {Name: "mode", Default: ptr("fast"), Enum: []string{"fast", "slow"}},
			{Name: "size", Enum: []string{"s", "m"}}, {Name: "query", Default: ptr(`{"a": 1}`)}, {Name: "empty", Default: ptr("")},
			{Name: "api-token", Default: ptr("hunter2")}, {Name: "long", Default: ptr(strings.Repeat("ü", 3001))},
			{Name: "wide", Enum: []string{strings.Repeat("w", 151), "b"}}, {Name: "written"},
		},
	}, bridge.Parameter{Name: "written", Value: "by hand"}, bridge.Parameter{Name: "mode", Value: "slow"})
	path := filepath.Join("testdata", "form.json")
	if *update {
		if err := os.WriteFile(path, append(raw, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(raw)+"\n"); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(string(raw), "hunter2") {
		t.Error("a secret stands in the form")
	}
}

func TestAFormHoldsWhatItCan(t *testing.T) {
	t.Parallel()
	many := func(n int, d bridge.Declared) (all []bridge.Declared) {
		for i := range n {
			d.Name = fmt.Sprintf("p%d", i)
			all = append(all, d)
		}
		return all
	}
	var enum []string
	for i := range 101 {
		enum = append(enum, fmt.Sprint(i))
	}
	tests := map[string]struct {
		declared []bridge.Declared
		given    []bridge.Parameter
		inputs   int // -1: it does not fit
	}{
		"as many as it can":              {many(99, bridge.Declared{}), nil, 99},
		"more that have to be filled in": {many(100, bridge.Declared{}), nil, -1},
		"more that have defaults":        {append(many(300, bridge.Declared{Default: ptr("x")}), bridge.Declared{Name: "must"}), nil, 99},
		"defaults that are long":         {append(many(90, bridge.Declared{Default: ptr(strings.Repeat("<", 3000))}), bridge.Declared{Name: "must"}), nil, 12},
		"a name that is too long":        {[]bridge.Declared{{Name: strings.Repeat("n", 300)}}, nil, -1},
		"such a name with a default":     {[]bridge.Declared{{Name: strings.Repeat("n", 300), Default: ptr("x")}, {Name: "must"}}, nil, 1},
		"a value that is too long":       {[]bridge.Declared{{Name: "a"}, {Name: "must"}}, []bridge.Parameter{{Name: "a", Value: strings.Repeat("v", 3001)}}, -1},
		"the same name twice":            {[]bridge.Declared{{Name: "a"}, {Name: "a"}}, nil, 1},
		"too many choices":               {[]bridge.Declared{{Name: "a", Enum: enum}}, nil, 1},
		"a choice twice":                 {[]bridge.Declared{{Name: "a", Enum: []string{"x", "x"}}}, nil, 1},
		"an empty choice":                {[]bridge.Declared{{Name: "a", Enum: []string{"", "x"}}}, nil, 1},
		"none":                           {nil, nil, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, fits := check(t, Template{Ref: bridge.Template{Name: "x"}, Declared: tt.declared}, tt.given...)
			if got := strings.Count(string(raw), `"type": "input"`); fits != (tt.inputs >= 0) || fits && got != tt.inputs {
				t.Errorf("%d inputs, fits %v; want %d", got, fits, tt.inputs)
			}
		})
	}
}

func FuzzForm(f *testing.F) {
	f.Add("etl", "loads", "date", "which day", "x", "a|b", "v", uint8(3))
	f.Add("<!channel>", strings.Repeat("&", 5000), strings.Repeat("é", 130), "\n", "{\n}", "😀|😀😀|", "", uint8(200))
	f.Fuzz(func(t *testing.T, name, description, parameter, hint, preset, enum, value string, n uint8) {
		tmpl := Template{Ref: bridge.Template{Namespace: "team", Name: name}, Description: description}
		for i := range n {
			d := bridge.Declared{Name: parameter + fmt.Sprint(i), Description: hint}
			if i%3 > 0 {
				d.Default = &preset
			}
			if i%2 == 0 {
				d.Enum = strings.Split(enum, "|")
			}
			tmpl.Declared = append(tmpl.Declared, d)
		}
		check(t, tmpl, bridge.Parameter{Name: parameter + "0", Value: value})
	})
}
