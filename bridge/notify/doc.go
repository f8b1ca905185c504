// Package notify tells people how runs end: run → routes → text → once → delivered.
//
// The [Reporter] turns a change of a run into notifications and puts them on the bus, each with a key
// that is the same however often that happens. The [Deliverer] takes them from there and keeps in the
// outbox, a table on the bus, what was begun and what was sent. A notification that was begun when the
// process died is looked up at its destination before it is sent again; one destination that does not
// answer holds up no other.
package notify
