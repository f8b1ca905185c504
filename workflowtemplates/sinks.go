package workflowtemplates

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// A sink is a place where a parameter becomes part of a program.
type sink struct {
	template  string
	place     string // its script, the arguments of its shell
	reference string // workflow.parameters.title
}

// A flow follows one parameter of a Workflow through the templates of its spec.
type flow struct {
	parameter string
	templates []map[string]any
	// inputs are the names of tainted inputs by template.
	inputs map[string]map[string]bool
}

// sinksOf finds the scripts and shells that the Workflow's parameter reaches: directly, through the
// inputs of the entrypoints, and through arguments of steps and tasks.
func sinksOf(object map[string]any, parameter string, entrypoints []string) []sink {
	spec, _ := object["spec"].(map[string]any)
	f := &flow{parameter: parameter, templates: objects(spec["templates"]), inputs: map[string]map[string]bool{}}
	for _, name := range entrypoints {
		f.taint(name, parameter)
	}
	for f.spread() {
	}
	var sinks []sink
	for _, t := range f.templates {
		sinks = append(sinks, f.sinks(t)...)
	}
	return sinks
}

// taint returns whether that is news.
func (f *flow) taint(template, input string) bool {
	if f.inputs[template][input] {
		return false
	}
	if f.inputs[template] == nil {
		f.inputs[template] = map[string]bool{}
	}
	f.inputs[template][input] = true
	return true
}

// spread taints the inputs that get the parameter from another template; false when none is new.
func (f *flow) spread() bool {
	news := false
	for _, t := range f.templates {
		name, _ := t["name"].(string)
		for _, input := range parametersOf(t["inputs"]) {
			for _, field := range []string{"value", "default"} {
				if text, _ := input[field].(string); f.reference(name, text) != "" {
					news = f.taint(name, textOf(input["name"])) || news
				}
			}
		}
		for _, call := range callsOf(t) {
			for _, argument := range parametersOf(call["arguments"]) {
				if f.reference(name, textOf(argument["value"])) != "" {
					news = f.taint(textOf(call["template"]), textOf(argument["name"])) || news
				}
			}
		}
	}
	return news
}

// callsOf are the steps and tasks of a template.
func callsOf(t map[string]any) []map[string]any {
	dag, _ := t["dag"].(map[string]any)
	calls := objects(dag["tasks"])
	groups, _ := t["steps"].([]any)
	for _, group := range groups {
		calls = append(calls, objects(group)...)
		if m, ok := group.(map[string]any); ok {
			calls = append(calls, objects(m["steps"])...)
		}
	}
	return calls
}

func (f *flow) sinks(t map[string]any) []sink {
	name, _ := t["name"].(string)
	var sinks []sink
	if script, ok := t["script"].(map[string]any); ok {
		if r := f.reference(name, textOf(script["source"])); r != "" {
			sinks = append(sinks, sink{name, "its script", r})
		}
	}
	set, _ := t["containerSet"].(map[string]any)
	containers := slices.Concat(objects(set["containers"]), objects(t["initContainers"]), objects(t["sidecars"]))
	if c, ok := t["container"].(map[string]any); ok {
		containers = append(containers, c)
	}
	for _, c := range containers {
		words := append(texts(c["command"]), texts(c["args"])...)
		if !shell(words) {
			continue
		}
		if r := f.reference(name, strings.Join(words, "\n")); r != "" {
			sinks = append(sinks, sink{name, "the arguments of its shell", r})
		}
	}
	return sinks
}

// shell says whether the words are a call such as sh -c "...".
func shell(words []string) bool {
	isShell := false
	for _, w := range words {
		switch path.Base(w) {
		case "sh", "bash", "dash", "ash", "zsh", "ksh", "busybox":
			isShell = true
		}
		if isShell && shellFlag.MatchString(w) {
			return true
		}
	}
	return false
}

var (
	shellFlag = regexp.MustCompile(`^-[a-z]*c[a-z]*$`)
	tag       = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	reference = regexp.MustCompile(`\b(workflow|inputs)\.parameters(?:\.([-A-Za-z0-9_]+)|\[\s*['"]([^'"]+)['"]\s*\])`)
)

// reference returns the first tag in the text that stands for the parameter, "" for none.
func (f *flow) reference(template, text string) string {
	for _, t := range tag.FindAllString(text, -1) {
		for _, m := range reference.FindAllStringSubmatch(t, -1) {
			name := m[2] + m[3]
			if m[1] == "workflow" && name == f.parameter || m[1] == "inputs" && f.inputs[template][name] {
				return m[1] + ".parameters." + name
			}
		}
	}
	return ""
}

func parametersOf(v any) []map[string]any {
	m, _ := v.(map[string]any)
	return objects(m["parameters"])
}

func objects(v any) []map[string]any {
	list, _ := v.([]any)
	var all []map[string]any
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

func texts(v any) []string {
	list, _ := v.([]any)
	var all []string
	for _, e := range list {
		all = append(all, textOf(e))
	}
	return all
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}
