package workflowtemplates

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

// Fields of the annotation slack. All but allow become Route.Options of the Slack destinations.
const (
	fieldAllow   = "allow"
	fieldMention = bridge.OptionMention
	fieldBlocks  = "blocks"
	fieldWindow  = bridge.OptionWindow
	fieldRepeat  = bridge.OptionRepeat
	fieldQuiet   = bridge.OptionQuiet
)

var (
	slackFields     = []string{fieldAllow, fieldMention, fieldBlocks, fieldWindow, fieldRepeat, fieldQuiet}
	allowanceFields = []string{"users", "groups", "channels"}

	slackUser    = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)
	slackGroup   = regexp.MustCompile(`^(S[A-Z0-9]{2,20}|@[^\s@#]{1,80})$`)
	slackChannel = regexp.MustCompile(`^([CG][A-Z0-9]{2,20}|#[^\s@#]{1,80})$`)
	slackMention = regexp.MustCompile(`^(@[^\s@#]{1,80}|[USW][A-Z0-9]{2,20})$`)
	layout       = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/[-A-Za-z0-9_.]{1,253}$`)
)

const (
	maxWindow = 24 * time.Hour
	maxRepeat = 7 * 24 * time.Hour
)

// slack reads the settings of the Slack destinations, and who may do what from Slack.
func (s *section) slack() (options map[string]bridge.Text, allow bridge.Allowances) {
	if s == nil {
		return nil, nil
	}
	n := s.node()
	if n == nil {
		return nil, nil
	}
	options = map[string]bridge.Text{}
	constant := func(name string, check func(p pair, text string) bool) field {
		return func(p pair) {
			text, ok := s.scalar(p.value, p.name)
			if !ok || !check(p, text) {
				return
			}
			if compiled, err := expression.CompileText(text); err == nil {
				options[name] = compiled
			}
		}
	}
	s.fields(n, map[string]field{
		fieldAllow: func(p pair) { allow = s.allowances(p) },
		fieldMention: func(p pair) {
			source, ok := s.scalar(p.value, p.name)
			if !ok {
				return
			}
			text, err := expression.CompileText(source)
			if err != nil {
				s.problems(expression.CheckText(source, nil), firstLine(p.value), source)
				return
			}
			options[fieldMention] = text
		},
		fieldBlocks: constant(bridge.OptionBlocksFrom, func(p pair, text string) bool {
			if !layout.MatchString(text) {
				s.fail(p.value.Line, "write the ConfigMap's name, a slash, and the key: slack-messages/failed.json", "blocks: %q names no key of a ConfigMap", text)
				return false
			}
			return true
		}),
		fieldWindow: constant(fieldWindow, s.durationUpTo(maxWindow)),
		fieldRepeat: constant(fieldRepeat, s.durationUpTo(maxRepeat)),
		fieldQuiet: constant(fieldQuiet, func(p pair, text string) bool {
			if _, err := bridge.ParseQuiet(text); err != nil {
				s.fail(p.value.Line, bridge.UsageQuiet, "quiet: %v", err)
				return false
			}
			return true
		}),
	}, slackFields, map[string]string{"silence": "silences are set in Slack, or by argo-bridge silences"})
	return options, allow
}

func (s *section) durationUpTo(most time.Duration) func(p pair, text string) bool {
	return func(p pair, text string) bool {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || d > most {
			s.fail(p.value.Line, "", "%s must be a time from 0s to %s, such as 10m, not %s", p.name, most, text)
			return false
		}
		return true
	}
}

// allowances read who has which right. They are those of the template: a rule has none of its own.
func (s *section) allowances(p pair) bridge.Allowances {
	if s.key != s.base {
		s.fail(p.key.Line, "write it into the annotation "+bridge.Prefix+s.base, "allow is for the whole template, not for the rule %s", strings.TrimPrefix(s.key, s.base+"."))
		return nil
	}
	all := bridge.Allowances{}
	for _, of := range s.pairs(p.value, "allow") {
		right := bridge.Right(of.name)
		if !slices.Contains(bridge.Rights, right) {
			s.unknownRight(of)
			continue
		}
		all[right] = s.allowance(of)
	}
	return all
}

func (s *section) unknownRight(p pair) {
	var names []string
	for _, r := range bridge.Rights {
		names = append(names, string(r))
	}
	s.fail(p.key.Line, cmp.Or(didYouMean(nearest(p.name, names)), "the rights are "+strings.Join(names, ", ")), "allow: unknown right %s", p.name)
}

func (s *section) allowance(p pair) (a bridge.Allowance) {
	forms := map[string]struct {
		into  *[]string
		form  *regexp.Regexp
		usage string
	}{
		"users":    {&a.Users, slackUser, "a user is written by the id, U024BE7LH (in Slack: profile, Copy member ID); names can be taken by others"},
		"groups":   {&a.Groups, slackGroup, "a user group is written @handle or by the id, S0614TZR7"},
		"channels": {&a.Channels, slackChannel, "a channel is written #name or by the id, C024BE91L"},
	}
	for _, of := range s.pairs(p.value, p.name) {
		f, ok := forms[of.name]
		if !ok {
			s.fail(of.key.Line, cmp.Or(didYouMean(nearest(of.name, allowanceFields)), "the fields are "+strings.Join(allowanceFields, ", ")), "%s has no field %s", p.name, of.name)
			continue
		}
		*f.into = s.names(of, f.form, f.usage)
	}
	return a
}

// mentions reads who is to be called by name, behind a destination of Slack.
func (s *section) mentions(words []string, line int) (mentions []string) {
	for _, word := range words {
		if !slackMention.MatchString(word) {
			s.fail(line, "behind the channel stand @group, @here, @channel, or ids such as U024BE7LH and S0614TZR7", "%q mentions nobody", word)
			continue
		}
		mentions = append(mentions, word)
	}
	return mentions
}
