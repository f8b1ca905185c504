package bridge

import "strings"

// Prefix is the prefix of every annotation and label that the bridge reads or writes.
const Prefix = "bridge.argoproj.io/"

// DefaultRule is the name of the rule that the annotation keys without a suffix make.
const DefaultRule = "default"

// A Template names a WorkflowTemplate, or a ClusterWorkflowTemplate, whose Namespace is empty.
type Template struct {
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// Cluster says whether the template is a ClusterWorkflowTemplate.
func (t Template) Cluster() bool { return t.Namespace == "" }

// String is namespace/name, or the bare name of a ClusterWorkflowTemplate.
func (t Template) String() string {
	if t.Cluster() {
		return t.Name
	}
	return t.Namespace + "/" + t.Name
}

// ParseTemplate reads what Template.String has written.
func ParseTemplate(s string) Template {
	namespace, name, namespaced := strings.Cut(s, "/")
	if !namespaced {
		return Template{Name: s}
	}
	return Template{Namespace: namespace, Name: name}
}

// A Rule is what one set of annotations on a template says: which events start the template, and
// with what. It is immutable once built.
type Rule struct {
	Template Template
	// Name is the suffix of the annotation keys, or DefaultRule.
	Name string
	// Triggers are the events of `on`; one that fits is enough.
	Triggers []Trigger
	// When is a further condition; nil for none.
	When Expression
	// Parameters fill spec.arguments.parameters of the Workflow, in the order of the annotation.
	Parameters []ParameterRule
	// Submit holds the annotations labels, entrypoint, service-account and priority.
	Submit SubmitRule
	// Flow says when a Workflow may be made.
	Flow Flow
	// Trust says whose code and commands the rule runs; nil: as the bridge's config says.
	Trust *Trust
	// Reads are the first two names of each variable's path in the rule's expressions: github.files.
	Reads []string
	// Declared are the parameters that the template declares.
	Declared []Declared
}

// A Declared is a parameter that a template declares in spec.arguments.parameters.
type Declared struct {
	Name string `json:"name"`
	// Description and Default are the declaration's own; Default is nil where it has none.
	Description string  `json:"description,omitempty"`
	Default     *string `json:"default,omitempty"`
	// Enum holds the allowed values; empty for any.
	Enum []string `json:"enum,omitempty"`
}

// A Trigger is one event name of `on` with its filters, all of which must hold.
type Trigger struct {
	// Event is an event's name: github.push, gcs.finalized, or a full CloudEvents type.
	Event   string
	Filters []Filter
}

// A Filter is one condition of a trigger.
type Filter interface {
	// Key is the filter's name in the annotation, such as branches.
	Key() string
	// Test says whether the facts fit. When they do not, detail says what the filter saw, without
	// the key: `got "refs/heads/dev"`.
	Test(f Facts) (ok bool, detail string)
}

// A ParameterRule fills one parameter of the template.
type ParameterRule struct {
	Name  string
	Value Expression
	// Default says whether the template has a value for the parameter when Value is null.
	Default bool
	// Enum holds the values that the template's declaration allows; empty for any.
	Enum []string
}

// A SubmitRule holds what is set on the Workflow beside its parameters; nil and empty: not set.
type SubmitRule struct {
	Labels         map[string]Text
	Entrypoint     Text
	ServiceAccount Text
	Priority       Text
}

// An Expression is a compiled expr-lang expression, safe for concurrent use.
type Expression interface {
	// Evaluate returns the value of the expression under the variables; a path that leads nowhere
	// is nil, not an error.
	Evaluate(variables map[string]any) (any, error)
	// String is the expression as its author wrote it.
	String() string
}

// A Text is a compiled text in which {{name}} and {{=expression}} stand for values.
type Text interface {
	Render(variables map[string]any) (string, error)
	String() string
}
