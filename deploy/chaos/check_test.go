package chaos

import (
	"fmt"
	"slices"
	"strings"
)

// A kind is which promise a breach breaks.
type kind string

const (
	lost        kind = "lost"         // an accepted event without its Workflow
	doubled     kind = "doubled"      // two Workflows for one event and rule
	invented    kind = "invented"     // a Workflow or a message that nobody asked for
	untold      kind = "untold"       // a failure that no message counts
	toldTwice   kind = "told twice"   // a failure that is counted twice, or a message that is posted twice
	silence     kind = "silence"      // a source that got no answer
	unacked     kind = "not acked"    // a Pub/Sub message that is not acknowledged
	wrongEnd    kind = "wrong end"    // a run that ended otherwise than its event says
	notFinished kind = "not finished" // a run that has not ended
	crowded     kind = "crowded"      // a run that was made while as many of its group went on as may
)

// A breach is one promise broken once.
type breach struct {
	kind kind
	text string
}

func (b breach) String() string { return string(b.kind) + ": " + b.text }

// An observation is all that is known at the end.
type observation struct {
	events   []*event
	runs     []run
	told     int            // failures that the messages stand for
	rejected int            // rejections that the messages stand for; none is to be
	messages map[string]int // key → how often it was posted
	crowded  []string       // runs that were made beside too many of their group
	waiting  int            // Pub/Sub messages without acknowledgement
}

// check lists all breaches. It is pure.
func check(o observation) []breach {
	c := &checker{byRule: map[string][]run{}}
	for _, r := range o.runs {
		for _, e := range r.events {
			key := ruleKey(e, r.template, r.rule)
			c.byRule[key] = append(c.byRule[key], r)
		}
	}
	for _, one := range o.crowded {
		c.found(crowded, "%s", one)
	}
	for _, e := range o.events {
		c.event(e)
	}
	c.rest()
	c.messages(o)
	if o.waiting > 0 {
		c.found(unacked, "%d Pub/Sub messages", o.waiting)
	}
	slices.SortFunc(c.breaches, func(a, b breach) int { return strings.Compare(a.String(), b.String()) })
	return c.breaches
}

type checker struct {
	byRule   map[string][]run
	failures int // that are to be told
	breaches []breach
}

func (c *checker) found(k kind, format string, args ...any) {
	c.breaches = append(c.breaches, breach{k, fmt.Sprintf(format, args...)})
}

func ruleKey(event, template, rule string) string { return event + " " + template + "/" + rule }

func (c *checker) event(e *event) {
	a := e.heard()
	if a.silent > 0 {
		c.found(silence, "%s: %d requests got no answer", e.id, a.silent)
	}
	for _, x := range e.runs {
		key := ruleKey(e.id, x.template, x.rule)
		runs := c.byRule[key]
		delete(c.byRule, key)
		// An object's source asks until it has the acknowledgement.
		if len(runs) == 0 && (a.accepted || e.object != "") {
			c.found(lost, "%s", key)
		}
		if len(runs) > 1 {
			c.found(doubled, "%s: %s", key, names(runs))
		}
		for _, r := range runs {
			c.run(key, x, r)
		}
	}
}

func (c *checker) run(key string, x expectation, r run) {
	switch {
	case !r.ended() && !r.deleted:
		c.found(notFinished, "%s: %s is %q", key, r.name, r.phase)
		return
	case (r.phase == "Succeeded") == x.fails:
		c.found(wrongEnd, "%s: %s is %q", key, r.name, r.phase)
	}
	if x.fails {
		c.failures++
	}
}

// messages compares what is told with what is to be told: many failures may be one message, which counts them.
func (c *checker) messages(o observation) {
	for key, times := range o.messages {
		if times > 1 {
			c.found(toldTwice, "message %s, %d times", key, times)
		}
	}
	if o.rejected > 0 {
		c.found(invented, "%d rejections are told", o.rejected)
	}
	switch {
	case o.told < c.failures:
		c.found(untold, "%d failures of %d are told", o.told, c.failures)
	case o.told > c.failures:
		c.found(toldTwice, "%d failures are told, there are %d", o.told, c.failures)
	}
}

// rest finds what no event explains.
func (c *checker) rest() {
	for key, runs := range c.byRule {
		c.found(invented, "%s: %s", key, names(runs))
	}
}

func names(runs []run) string {
	var all []string
	for _, r := range runs {
		all = append(all, fmt.Sprintf("%s (%s, %s)", r.name, r.uid, r.phase))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// summary shows breaches, but of very many only the first.
func summary(breaches []breach) string {
	const most = 40
	var b strings.Builder
	for i, one := range breaches {
		if i == most {
			fmt.Fprintf(&b, "  and %d more\n", len(breaches)-most)
			break
		}
		fmt.Fprintf(&b, "  %s\n", one)
	}
	return b.String()
}
