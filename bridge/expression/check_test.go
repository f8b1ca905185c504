package expression_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

func shapes() map[string]*bridge.Shape {
	scalar := &bridge.Shape{Scalar: true}
	object := func(f map[string]*bridge.Shape) *bridge.Shape { return &bridge.Shape{Fields: f} }
	all := expression.Shapes()
	all["github"] = object(map[string]*bridge.Shape{
		"sha": scalar,
		"event": object(map[string]*bridge.Shape{
			"number":       scalar,
			"pull_request": object(map[string]*bridge.Shape{"title": scalar, "anything": nil}),
			"labels":       {Items: object(map[string]*bridge.Shape{"name": scalar})},
		}),
	})
	return all
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		source string
		want   []string
	}{
		"known paths are no fault":                      {`github.event.pull_request.title + github.sha`, nil},
		"what nobody knows is not checked":              {`github.event.pull_request.anything.goes + data.x.y`, nil},
		"a misspelt member has a suggestion":            {`github.event.pull_requst.number`, []string{"1:14: unknown field github.event.pull_requst (did you mean pull_request?)"}},
		"a misspelt variable has a suggestion":          {`gihub.sha`, []string{"1:1: unknown variable gihub (did you mean github?)"}},
		"a strange member has none":                     {`github.event.zzzzzzzz`, []string{"1:14: unknown field github.event.zzzzzzzz"}},
		"all faults are reported":                       {`githb.sha + github.shaa`, []string{"1:1: unknown variable githb (did you mean github?)", "1:20: unknown field github.shaa (did you mean sha?)"}},
		"the line is that of the member":                {"github.sha +\n  github.shaa", []string{"2:10: unknown field github.shaa (did you mean sha?)"}},
		"a scalar has no members":                       {`github.sha.short`, []string{"1:12: github.sha has no members, so there is no github.sha.short"}},
		"a list has no members":                         {`github.event.labels.name`, []string{"1:21: github.event.labels is a list, it has no member name"}},
		"an element's members are checked":              {`github.event.labels[0].nme`, []string{"1:24: unknown field github.event.labels[].nme (did you mean name?)"}},
		"a predicate's members are checked":             {`any(github.event.labels, .nme == "x")`, []string{"1:27: unknown field github.event.labels[].nme (did you mean name?)"}},
		"a filtered list keeps its shape":               {`filter(github.event.labels, true)[0].nme`, []string{"1:38: unknown field github.event.labels[].nme (did you mean name?)"}},
		"a found element keeps its shape":               {`find(github.event.labels, true).nme`, []string{"1:33: unknown field github.event.labels[].nme (did you mean name?)"}},
		"a local variable is known and keeps its shape": {`let e = github.event; e.numbr`, []string{"1:25: unknown field github.event.numbr (did you mean number?)"}},
		"an argument of a function is checked":          {`sprig.upper(github.shaa)`, []string{"1:20: unknown field github.shaa (did you mean sha?)"}},
		"event has the CloudEvents attributes":          {`event.id + event.tpye`, []string{"1:18: unknown field event.tpye (did you mean type?)"}},
		"a syntax error is the only fault":              {`github.sha ==`, []string{"1:13: unexpected token EOF"}},
		"sprig alone is no variable":                    {`sprig`, []string{"1:1: unknown variable sprig"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range expression.Check(test.source, shapes()) {
				got = append(got, p.Error())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		source string
		want   [][]string
	}{
		"a path":                                 {`github.event.issue.title`, [][]string{{"github", "event", "issue", "title"}}},
		"a quoted member":                        {`github["ref"]`, [][]string{{"github", "ref"}}},
		"a text made of several":                 {`a.b + " " + c`, [][]string{{"a", "b"}, {"c"}}},
		"through functions":                      {`sprig.trim(toJson(a.b))`, [][]string{{"a", "b"}}},
		"elements of lists":                      {`map(a.list, .name)`, [][]string{{"a", "list", "*", "name"}}},
		"a condition's text is not in the value": {`a.b == "x" ? c.d : "no"`, [][]string{{"c", "d"}}},
		"a comparison has no text":               {`a.b contains "x"`, nil},
		"a number has no text":                   {`asInt(a.b)`, nil},
		"through local variables":                {`let x = a.b; x[:3]`, [][]string{{"a", "b"}}},
		"a fallback may be the value":            {`a.b ?? c.d`, [][]string{{"a", "b"}, {"c", "d"}}},
		"nothing compiles, nothing flows":        {`a.b +`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, expression.Paths(test.source)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckText(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		source string
		want   []string
	}{
		"an expression is checked, with its line in the text": {"a\n{{=github.shaa}}", []string{"2:8: unknown field github.shaa (did you mean sha?)"}},
		"a path of a known variable is checked":               {"{{github.shaa}}", []string{"1:1: unknown field github.shaa (did you mean sha?)"}},
		"a path of an unknown one is Argo's affair":           {"{{workflow.name}}", nil},
		"all faults are reported":                             {"{{=a +}}\n{{=b +}}", []string{"1:3: unexpected token EOF", "2:3: unexpected token EOF"}},
		"a tag that is not closed":                            {"x {{=a", []string{`1:1: "{{" is not closed by "}}"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range expression.CheckText(test.source, shapes()) {
				got = append(got, p.Error())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
