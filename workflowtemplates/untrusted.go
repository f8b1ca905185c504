package workflowtemplates

import (
	"fmt"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A mapped parameter is one that a rule fills, and the paths whose text it may hold.
type mapped struct {
	section *section
	line    int
	name    string
	paths   [][]string
}

// untrusted warns where text that an outsider controls is substituted into a script or into the
// arguments of a shell: {{...}} puts the text there as it is, so that a pull request's title becomes
// part of the program. It needs the whole template, and so does nothing for templates from a cluster.
func (p *parser) untrusted(rules []*bridge.Rule) {
	if p.in.object == nil {
		return
	}
	for _, m := range p.mapped {
		i := slices.IndexFunc(rules, func(r *bridge.Rule) bool { return r.Name == m.section.rule })
		if i < 0 {
			continue
		}
		path := p.language.outsiders(rules[i].Triggers, m.paths)
		if path == "" {
			continue
		}
		for _, sink := range sinksOf(p.in.object, m.name, p.entrypoints(m.section.rule)) {
			m.section.report(Warning, m.line, suggestEnv(m.name, sink),
				"the parameter %q holds %s, which an outsider controls, and the template %q puts it into %s", m.name, path, sink.template, sink.place)
		}
	}
}

// entrypoints are the templates to which the Workflow's arguments go.
func (p *parser) entrypoints(rule string) []string {
	names := []string{p.in.Entrypoint}
	if s := p.sections[rule][keyEntrypoint]; s != nil {
		names = append(names, strings.TrimSpace(s.text))
	}
	return names
}

func suggestEnv(parameter string, s sink) string {
	variable := strings.ToUpper(strings.ReplaceAll(parameter, "-", "_"))
	return fmt.Sprintf(`pass it as an environment variable: env: [{name: %s, value: "{{%s}}"}], and write "$%s"`, variable, s.reference, variable)
}

// outsiders returns the first path that is untrusted in one of the events, as its author wrote it.
func (l Language) outsiders(triggers []bridge.Trigger, paths [][]string) string {
	for _, t := range triggers {
		d, _ := l.dialect(t.Event)
		for _, path := range paths {
			if slices.ContainsFunc(d.Untrusted, func(untrusted string) bool { return overlap(path, untrusted, d.Source) }) {
				return strings.ReplaceAll(strings.Join(path, "."), ".*", "[]")
			}
		}
	}
	return ""
}

// overlap says whether one path is the other or stands above it. Elements of lists are passed over, those of
// events have the variables of one event, and data is the same payload as the source's event.
func overlap(path []string, untrusted, source string) bool {
	bad := plain(strings.Split(strings.ReplaceAll(untrusted, "[]", ".*"), "."))
	used := plain(path)
	if len(used) > 0 && used[0] == eventsVariable {
		if used = used[1:]; len(used) == 0 {
			return true
		}
	}
	if len(used) > 0 && used[0] == "data" && bad[0] != "data" {
		used = append([]string{source, "event"}, used[1:]...)
	}
	n := min(len(used), len(bad))
	return n > 0 && slices.Equal(used[:n], bad[:n])
}

func plain(path []string) []string {
	return slices.DeleteFunc(slices.Clone(path), func(name string) bool { return name == "*" || name == "" })
}
