package workflowtemplates

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

// schemes are the destinations of the language, with the targets of each and how to write them.
var schemes = map[string]struct {
	target *regexp.Regexp
	usage  string
}{
	"slack":   {regexp.MustCompile(`^(reply|([TE][A-Z0-9]{2,20}/)?(#[^\s#@/]{1,80}|@[^\s#@/]{1,80}|[CGDUW][A-Z0-9]{6,20}))$`), "slack:#channel, slack:@user, slack:C024BE91L or slack:reply"},
	"github":  {regexp.MustCompile(`^(check|status|comment|deployment)$`), "github:check, github:status, github:comment or github:deployment"},
	"nats":    {regexp.MustCompile(`^[^\s*>.]+(\.[^\s*>.]+)*$`), "nats:<subject>, without wildcards"},
	"webhook": {regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9_.]*$`), "webhook:<name from the bridge's config>"},
}

var schemeNames = []string{"slack", "github", "nats", "webhook"}

// routes reads notify, message, github and slack for all runs and for each rule. The runs of a rule have the routes
// of notify and those of notify.<rule>; what else has the rule's suffix replaces what has none for them.
func (p *parser) routes() (all map[string][]bridge.Route, allow bridge.Allowances) {
	every := p.sections[""][keyNotify].routes()
	common := settings{message: p.sections[""][keyMessage].message(), github: p.sections[""][keyGitHub].options()}
	common.slack, allow = p.sections[""][keySlack].slack()
	all = map[string][]bridge.Route{"": common.with(every)}
	for name, sections := range p.sections {
		own := sections[keyNotify]
		if name == "" || own == nil && sections[keyMessage] == nil && sections[keyGitHub] == nil && sections[keySlack] == nil {
			p.single(p.sections[""][keyNotify], sections, every)
			continue
		}
		routes := own.routes()
		p.single(own, sections, routes)
		all[name] = common.or(sections).with(distinct(append(slices.Clone(every), routes...)))
	}
	return all, allow
}

// settings are what goes with each route: the message, and the options by scheme.
type settings struct {
	message       bridge.Text
	github, slack map[string]bridge.Text
}

// or are the settings of a rule, with those of all runs where it has none.
func (s settings) or(sections map[string]*section) settings {
	if m := sections[keyMessage].message(); m != nil {
		s.message = m
	}
	if o := sections[keyGitHub].options(); o != nil {
		s.github = o
	}
	if o, _ := sections[keySlack].slack(); o != nil {
		s.slack = o
	}
	return s
}

func (s settings) with(routes []bridge.Route) []bridge.Route {
	result := slices.Clone(routes)
	for i := range result {
		result[i].Message = s.message
		switch result[i].To.Scheme {
		case "github":
			result[i].Options = s.github
		case "slack":
			result[i].Options = s.slack
		}
	}
	return result
}

// single reports a destination that shows one event's run, of a rule that makes one run of many events.
func (p *parser) single(s *section, sections map[string]*section, routes []bridge.Route) {
	if s == nil || sections[keyBatch] == nil {
		return
	}
	for _, r := range routes {
		if follows(r.To) {
			s.fail(1, "take out batch, or notify another destination", "%s shows the run of one event; a batch is one run of many", r.To)
			return
		}
	}
}

// distinct keeps one route per outcome and destination.
func distinct(routes []bridge.Route) []bridge.Route {
	var result []bridge.Route
	for _, r := range routes {
		same := func(o bridge.Route) bool { return o.Outcome == r.Outcome && o.To == r.To }
		if !slices.ContainsFunc(result, same) {
			result = append(result, r)
		}
	}
	return result
}

// message compiles the text of message; its variables are those of a run, which are not checked.
func (s *section) message() bridge.Text {
	if s == nil {
		return nil
	}
	if strings.TrimSpace(s.text) == "" {
		s.fail(1, "", "the annotation is empty")
		return nil
	}
	text, err := expression.CompileText(s.text)
	if err != nil {
		s.problems(expression.CheckText(s.text, nil), 1, s.text)
		return nil
	}
	return text
}

// routes reads the map from outcomes to destinations.
func (s *section) routes() []bridge.Route {
	if s == nil {
		return nil
	}
	n := s.node()
	if n == nil {
		return nil
	}
	var routes []bridge.Route
	pairs := s.pairs(n, "notify")
	for _, pair := range pairs {
		outcome := bridge.Outcome(pair.name)
		if !slices.Contains(bridge.Outcomes, outcome) {
			s.fail(pair.key.Line, s.outcomeSuggestion(pair.name), "unknown outcome %s", pair.name)
			continue
		}
		for _, r := range s.destinations(pair.value) {
			r.Outcome = outcome
			routes = append(routes, r)
		}
	}
	for _, pair := range pairs {
		for _, r := range routes {
			if string(r.Outcome) == pair.name {
				s.endless(pair, r.To, routes)
			}
		}
	}
	return followed(routes)
}

func (s *section) outcomeSuggestion(name string) string {
	names := make([]string, len(bridge.Outcomes))
	for i, o := range bridge.Outcomes {
		names[i] = string(o)
	}
	if near := nearest(name, names); near != "" {
		return didYouMean(near)
	}
	return "the outcomes are " + strings.Join(names, ", ")
}

func (s *section) destinations(n *yaml.Node) []bridge.Route {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var routes []bridge.Route
	for _, item := range items {
		text, ok := s.scalar(item, "a destination")
		if !ok {
			continue
		}
		if r, ok := s.destination(text, item.Line); ok {
			routes = append(routes, r)
		}
	}
	return routes
}

// destination reads a destination, and behind one of Slack who is to be called by name.
func (s *section) destination(text string, line int) (bridge.Route, bool) {
	scheme, target, found := strings.Cut(text, ":")
	var names []string
	if scheme == "slack" {
		if words := strings.Fields(target); len(words) > 1 {
			target, names = words[0], words[1:]
		}
	}
	grammar, known := schemes[scheme]
	supported := s.parser.language.Notifiers
	switch {
	case !found || !known:
		suggestion := didYouMean(nearest(scheme, schemeNames))
		if suggestion == "" {
			suggestion = "destinations are written " + schemes["slack"].usage
		}
		s.fail(line, suggestion, "unknown destination %s", text)
	case !slices.Contains(supported, scheme):
		s.fail(line, "supported: "+strings.Join(supported, ", "), "notifications to %s are not supported by this version yet; nothing is sent to %s", scheme, text)
	case !grammar.target.MatchString(target):
		s.fail(line, "write "+grammar.usage, "%q is no destination of %s", target, scheme)
	default:
		return bridge.Route{To: bridge.Destination{Scheme: scheme, Target: target}, Mentions: s.mentions(names, line)}, true
	}
	return bridge.Route{}, false
}
