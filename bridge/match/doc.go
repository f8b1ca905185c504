// Package match says which rules an event starts, with a named reason for each no. It is pure.
//
// # Filters
//
// The constructors make the filters of the annotation `on`, in the habits of GitHub Actions
// (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet):
// of a list of globs the last one that matches decides, and one with a leading ! excludes. A filter
// accepts no event whose facts lack what it tests.
//
// # Cost
//
// A [Matcher] is indexed by event name, then by repository, bucket, command or channel: an event meets
// only the rules that name its own, so that the cost of an event does not grow with the number of
// rules. A Matcher is immutable and safe for concurrent use.
package match
