package bridge

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// An Event is one occurrence at a source, as every later stage reads it. On the bus it is a
// CloudEvents 1.0 event in binary mode: the fields are those of
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#context-attributes.
type Event struct {
	// ID is the source's own identity of the occurrence (GitHub's delivery GUID, Slack's event_id,
	// a bucket's object#generation#type), the same for every redelivery. Source and ID together
	// are unique.
	ID string `json:"id"`
	// Source is the URI of where it happened: a repository, a bucket, a workspace.
	Source string `json:"source"`
	// Type is the CloudEvents type, such as com.github.pull_request.opened.
	Type string `json:"type"`
	// Subject is the part of the source that it is about: a pull request's number, objects/NAME.
	Subject string `json:"subject,omitempty"`
	// Time is when it happened, by the source's clock; zero when the source does not say.
	Time time.Time `json:"time"`
	// Extensions are CloudEvents extension attributes: lower-case names of letters and digits. The attribute
	// dataschema stands among them.
	Extensions map[string]string `json:"extensions,omitempty"`
	// Data is the payload, one valid JSON value.
	Data json.RawMessage `json:"data,omitempty"`
}

// Key identifies the event across all sources; it is what deduplication compares.
func (e Event) Key() string { return e.Source + "#" + e.ID }

// Hash is a short form of Key: 32 hexadecimal digits, fit for labels and table keys.
func (e Event) Hash() string {
	sum := sha256.Sum256([]byte(e.Key()))
	return hex.EncodeToString(sum[:16])
}

// Digest is a short form of any text, 16 hexadecimal digits, for keys.
func Digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}

// IsHash says whether s may be an event's Hash. A label that people can write is no key until that is known.
func IsHash(s string) bool {
	decoded, err := hex.DecodeString(s)
	return err == nil && len(decoded) == 16 && strings.ToLower(s) == s
}

// Facts are what is known of one event beyond its CloudEvents attributes: filters test them,
// expressions see them, and the Workflow is stamped with them. An adapter derives them from the
// event alone, so that they are the same whoever published it.
type Facts struct {
	// Name is the event's name in the `on` annotation, such as github.pull_request. An event of
	// no known source has its CloudEvents type as its name.
	Name string
	// Source is the source's short name (github, gcs, slack), or "" for any other CloudEvent.
	Source string
	// Values are what the filters of `on` test, by filter key in the plural (repositories,
	// branches, paths, buckets, channels, ...). A key that is absent means that the event has no
	// such thing, which no filter accepts; an empty list means that it has none of them.
	Values map[string][]string
	// Missing explains, by filter key, why a value that the event should have is not known
	// ("changed files are not in the payload"). Optional.
	Missing map[string]string
	// Variables builds the variables that the source adds for expressions, such as "github" or
	// "gcs" → a map. It is called at most once per event and only when an expression runs. Nil
	// for none.
	Variables func() (map[string]any, error)
	// URL leads a person to the commit, pull request, object or message. Optional.
	URL string
	// Actor is who caused the event, in the source's own words (a login, a user id). Optional.
	Actor string
	// ReplyTo is where a destination such as slack:reply answers, in the adapter's own words
	// ("T024BE7LD:C024BE91L/1700000000.000100"). Empty when the event has no such place.
	ReplyTo string
	// Object names what the event is about within its source, and Version orders the events about it: of two,
	// the one whose Version is the greater text is the newer (write numbers with leading zeros). For
	// `latest-only`. Empty: the event's subject, and its time.
	Object, Version string
	// Title says in one line what happened, for people: "push to acme/app main: fix the build".
	Title string
	// Depth is how many runs that started one another led to the event; 0 for an event that no run caused.
	Depth int
	// Chain are the templates of those runs, as namespace/name, the oldest first, as far as they are known.
	Chain []string

	// Asks are what the payload does not say and the source can be asked for: from a key of Values (paths), or
	// the path of a variable (github.files), to the question that an [Inquirer] answers. A key that is asked for is
	// taken out; AskSkip stands for Skip.
	Asks map[string]string
	// Beyond says of a key of Values that the source does not tell all of them, for a limit of its own, and
	// whether those that are not told count as fitting.
	Beyond map[string]bool
	// Pinned is what an Inquirer has answered before that may change, such as the head commit of a pull request; it is
	// kept with the event's record, so that the answer stays the same.
	Pinned string
	// Vouch are the people, in the source's own words, whose code the event would run: a rule starts only when it trusts
	// all of them, or when somebody whom it trusts has approved the Commit. Empty: nobody needs to be trusted.
	Vouch []string
	// Commander is who gives a command with the event; a rule starts only when it trusts them, and no approval helps.
	Commander string
	// Own says that the bridge itself has caused the event: it starts nothing.
	Own bool
	// Skip says why nothing is to run, by the word of who caused the event: "[skip ci] in the commit's message".
	Skip string
	// Thread names what people talk about the event in, such as the pull request acme/app#12: an Order there is about the
	// events of the same Thread. Commit is the commit that the event is about.
	Thread, Commit string
	// Commands are what a comment asks the rules for, one per line that begins with a slash.
	Commands []Command
	// Order is what the event asks of the bridge itself; nil for nothing.
	Order *Order
	// Awaited says that the source itself waits for the event's record and answers from it, as it does for a slash
	// command: nobody else answers.
	Awaited bool
}

// Keys of Facts.Asks that stand for fields of Facts: Skip, and what Vouch and Commit lack.
const (
	AskSkip  = "skip"
	AskVouch = "vouch"
)

// A Command is one line of a comment: /deploy env=staging.
type Command struct {
	Name string // with the slash
	// Words are those between the name and the first key=value.
	Words []string
	// Arguments are the key=value words; the last of two with the same key counts.
	Arguments map[string]string
}

// A FactFinder derives the facts of the events of one source. It is pure and safe for concurrent
// use. ok is false when the event's type is not one of this source's; an error means that the
// payload is not what the type promises, and is permanent.
type FactFinder interface {
	Facts(e Event) (f Facts, ok bool, err error)
}
