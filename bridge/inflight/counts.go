package inflight

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/submit"
)

// A run is what counts of a Workflow that has not ended.
type run struct {
	template  bridge.Template
	namespace string
	ours      bool // an event started it
	// rule, group and order are its labels; empty for none.
	rule, group, order string
	created            time.Time
	arrival            uint64 // orders runs that were created in one second
	stopping           bool
}

func readRun(m *metav1.PartialObjectMetadata) run {
	r := labelled(m.Labels)
	r.namespace, r.created = m.Namespace, m.CreationTimestamp.Time
	_, r.stopping = m.Annotations[bridge.AnnotationStopped]
	r.template = bridge.Template{Name: m.Labels[submit.LabelClusterTemplate]}
	if name := m.Labels[submit.LabelTemplate]; name != "" {
		r.template = bridge.Template{Namespace: m.Namespace, Name: name}
	}
	return r
}

func runOf(s bridge.Submission, now time.Time) run {
	r := labelled(s.Labels)
	r.template, r.namespace, r.created = s.Template, s.Namespace, now
	return r
}

func labelled(labels map[string]string) run {
	return run{
		ours: labels[bridge.LabelEvent] != "", rule: labels[bridge.LabelRule],
		group: labels[bridge.LabelGroup], order: labels[bridge.LabelOrder],
	}
}

// relevant says whether some limit counts it.
func (r run) relevant() bool { return r.ours || r.template.Name != "" }

// sameGroups says that the groups of rules count it as they count another.
func (r run) sameGroups(other run) bool {
	return r.rule == other.rule && r.group == other.group && r.order == other.order
}

// bears says whether it has a label's value; runs by hand have no rule.
func (r run) bears(b bridge.Bound) bool {
	switch b.Label {
	case bridge.LabelRule:
		return r.rule == b.Value
	case bridge.LabelGroup:
		return r.group == b.Value
	case bridge.LabelOrder:
		return r.order == b.Value
	}
	return false
}

// counts are the runs in flight by the limits that they count for.
type counts map[string]int

func (c counts) add(r run, n int) {
	if r.ours {
		c.change(allLimit, n)
		c.change(namespaceLimit(r.namespace), n)
		c.change(templateLimit(r.template), n)
	}
	c.change(labelLimit(r.template, bridge.LabelRule, r.rule), n)
	if r.group != "" {
		c.change(labelLimit(r.template, bridge.LabelGroup, r.group), n)
	}
	if r.order != "" {
		c.change(labelLimit(r.template, bridge.LabelOrder, r.order), n)
	}
}

func (c counts) change(limit string, n int) {
	if c[limit] += n; c[limit] <= 0 {
		delete(c, limit)
	}
}

// of is how many runs a bound counts.
func (c counts) of(template bridge.Template, b bridge.Bound) int {
	n := c[labelLimit(template, b.Label, b.Value)]
	if b.Hand {
		n += c[labelLimit(template, bridge.LabelRule, "")]
	}
	return n
}

const allLimit = "all"

func namespaceLimit(namespace string) string { return "namespace\n" + namespace }

func templateLimit(t bridge.Template) string { return "template\n" + t.String() }

func labelLimit(t bridge.Template, label, value string) string {
	return label + "\n" + t.String() + "\n" + value
}

// on names what frees a bound. A run by hand frees the groups of all rules of its template.
func on(t bridge.Template, b bridge.Bound) string {
	if b.Hand {
		return "hand\n" + t.String()
	}
	return labelLimit(t, b.Label, b.Value)
}

// limits are what the end of the run frees.
func (r run) limits() []string {
	all := []string{"hand\n" + r.template.String()}
	if r.ours {
		all = append(all, allLimit, namespaceLimit(r.namespace), templateLimit(r.template))
	}
	if r.group != "" {
		all = append(all, labelLimit(r.template, bridge.LabelGroup, r.group))
	}
	if r.order != "" {
		all = append(all, labelLimit(r.template, bridge.LabelOrder, r.order))
	}
	return all
}
