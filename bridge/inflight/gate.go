package inflight

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A Gate says whether another Workflow may be made.
type Gate struct {
	Tracker *Tracker
	Limits  Limits
	// Margin is the part of each limit of the install that is kept for the leader, who alone decides there:
	// the others do not know what their peers make at the same moment.
	Margin int
}

// A Denial says which limit is reached.
type Denial struct {
	// Reason is bridge.ReasonLimit for the limits of the install, or the annotation of the rule.
	Reason bridge.Reason
	// Detail names the limit for people.
	Detail string
	// On names it for whom it frees (see New).
	On string
	// Stop are the runs, namespace/name, the oldest first, that would have to end for a place in a group, and that
	// nobody has stopped yet. Runs by hand without a group are not among them.
	Stop []string

	bound bridge.Bound
	count int
}

// Enter counts the Workflow that is about to be made, or says which limit is reached. Only the leader gives out the
// last part of a limit of the install, and all of a rule's own.
func (g *Gate) Enter(s bridge.Submission, leader bool) *Denial {
	return g.Tracker.enter(s, func(c counts) *Denial {
		for _, b := range s.Bounds {
			if n := c.of(s.Template, b); n >= b.Limit {
				return &Denial{
					Reason: b.Reason, On: on(s.Template, b), bound: b, count: n,
					Detail: fmt.Sprintf("%s: %d of at most %d runs of the %s are in flight", b.Reason, n, b.Limit, b.Name),
				}
			}
		}
		return g.install(s, c, leader)
	})
}

// install holds the counts against the limits of the config.
func (g *Gate) install(s bridge.Submission, c counts, leader bool) *Denial {
	for _, limit := range []struct {
		most          int
		on, of, field string
	}{
		{g.Limits.Workflows, allLimit, "", "workflows"},
		{g.Limits.WorkflowsPerNamespace, namespaceLimit(s.Namespace), " in " + s.Namespace, "workflowsPerNamespace"},
		{g.Limits.WorkflowsPerTemplate, templateLimit(s.Template), " of " + s.Template.String(), "workflowsPerTemplate"},
	} {
		if n := c[limit.on]; g.reached(limit.most, n, leader) {
			return &Denial{Reason: bridge.ReasonLimit, On: limit.on, Detail: fmt.Sprintf(
				"%d of at most %d workflows%s are in flight (limits.%s)", n, limit.most, limit.of, limit.field)}
		}
	}
	return nil
}

func (g *Gate) reached(limit, count int, leader bool) bool {
	if limit == Unlimited {
		return false
	}
	if !leader {
		limit -= g.Margin
	}
	return count >= limit
}

// Leave takes back what Enter has counted, when the Workflow could not be made.
func (g *Gate) Leave(s bridge.Submission) { g.Tracker.leave(s) }

// Seen says whether the Workflow is in flight, or was seen within the last ten minutes.
func (g *Gate) Seen(s bridge.Submission) bool { return g.Tracker.Seen(s.Namespace + "/" + s.Name) }

// Made notes that the Workflow is there.
func (g *Gate) Made(s bridge.Submission) { g.Tracker.See(s.Namespace + "/" + s.Name) }

// stoppable are the runs that stand in the way of a submission.
func (t *Tracker) stoppable(s bridge.Submission, d *Denial) (stop []string) {
	if d.bound.Limit == 0 {
		return nil
	}
	type candidate struct {
		key string
		run
	}
	var all []candidate
	consider := func(key string, r run) {
		if r.template == s.Template && r.bears(d.bound) {
			all = append(all, candidate{key, r})
		}
	}
	for key, r := range t.running {
		consider(key, r)
	}
	for key, x := range t.expected {
		consider(key, x.run)
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(a.created.Compare(b.created), cmp.Compare(a.arrival, b.arrival))
	})
	for _, c := range all[:min(len(all), d.count-d.bound.Limit+1)] {
		if !c.stopping {
			stop = append(stop, c.key)
		}
	}
	return stop
}
