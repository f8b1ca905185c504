package bridge

// A Dialect is what one source adds to the annotation language; lint and the parser read it.
type Dialect struct {
	// Source is the short name before the dot of its event names: github.
	Source string
	// Events are the known event names, such as github.push.
	Events []string
	// Open says that other names with the source's prefix are events as well (Slack's event types
	// are many); a name that is not known is then a warning, not an error.
	Open bool
	// Variables returns the shape of the variables that the source adds for one event, by
	// variable name ("github"). Nil for none or unknown.
	Variables func(event string) map[string]*Shape
	// Untrusted are the paths whose text an outsider controls, such as
	// github.event.pull_request.title; lint warns where one reaches a shell unquoted.
	Untrusted []string
}

// A Shape is what is known of the structure of a JSON value. A nil Shape may be anything.
type Shape struct {
	// Fields are the members of an object; nil when the value is not an object.
	Fields map[string]*Shape
	// Items is the shape of a list's elements.
	Items *Shape
	// Scalar marks a string, number or boolean, which has no members.
	Scalar bool
}
