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
	"slack":   {regexp.MustCompile(`^(reply|#[^\s#@]{1,80}|@[^\s#@]{1,80}|[CGDU][A-Z0-9]{6,20})$`), "slack:#channel, slack:@user, slack:C024BE91L or slack:reply"},
	"github":  {regexp.MustCompile(`^(check|status|comment|deployment)$`), "github:check, github:status, github:comment or github:deployment"},
	"nats":    {regexp.MustCompile(`^[^\s*>.]+(\.[^\s*>.]+)*$`), "nats:<subject>, without wildcards"},
	"webhook": {regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9_.]*$`), "webhook:<name from the bridge's config>"},
}

var schemeNames = []string{"slack", "github", "nats", "webhook"}

// routes reads notify, message and github for all runs and for each rule. The runs of a rule have the routes
// of notify and those of notify.<rule>; message.<rule> and github.<rule> replace message and github for them.
func (p *parser) routes() map[string][]bridge.Route {
	every := p.sections[""][keyNotify].routes()
	message, options := p.sections[""][keyMessage].message(), p.sections[""][keyGitHub].options()
	all := map[string][]bridge.Route{"": with(every, message, options)}
	for name, sections := range p.sections {
		own, text, settings := sections[keyNotify], sections[keyMessage], sections[keyGitHub]
		if name == "" || own == nil && text == nil && settings == nil {
			p.single(p.sections[""][keyNotify], sections, every)
			continue
		}
		m, o := text.message(), settings.options()
		if m == nil {
			m = message
		}
		if o == nil {
			o = options
		}
		routes := own.routes()
		p.single(own, sections, routes)
		all[name] = with(distinct(append(slices.Clone(every), routes...)), m, o)
	}
	return all
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

func with(routes []bridge.Route, message bridge.Text, options map[string]bridge.Text) []bridge.Route {
	result := slices.Clone(routes)
	for i := range result {
		result[i].Message = message
		if result[i].To.AtSource() {
			result[i].Options = options
		}
	}
	return result
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
		for _, to := range s.destinations(pair.value) {
			routes = append(routes, bridge.Route{Outcome: outcome, To: to})
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

func (s *section) destinations(n *yaml.Node) []bridge.Destination {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var destinations []bridge.Destination
	for _, item := range items {
		text, ok := s.scalar(item, "a destination")
		if !ok {
			continue
		}
		if d, ok := s.destination(text, item.Line); ok {
			destinations = append(destinations, d)
		}
	}
	return destinations
}

func (s *section) destination(text string, line int) (bridge.Destination, bool) {
	scheme, target, found := strings.Cut(text, ":")
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
		return bridge.Destination{Scheme: scheme, Target: target}, true
	}
	return bridge.Destination{}, false
}
