// Package waiting is where the rules of events wait whose Workflow cannot be made yet: a limit is reached, or
// a failure was met that may pass. It is a table on the bus, so that nothing waits in memory alone, in
// lanes: one per template, first in, first out.
//
// Every replica may add tasks and knows in which lanes somebody waits for a limit, so that later events of the
// template queue up behind the earlier ones. One replica, the leader, works: it takes the first task of each lane
// that may go on. A lane that fails pauses for a growing time and holds up no other.
package waiting
