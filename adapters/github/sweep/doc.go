// Package sweep finds the deliveries of the GitHub App's webhook that did not arrive, and asks GitHub for them again:
// GitHub itself never sends a delivery twice.
// https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries
//
// A [Sweeper] reads the App's list of deliveries from the newest back to where it has been, keeps what failed on the bus, and
// asks for each of them up to five times with growing pauses, until an attempt succeeds. What it is about to ask for is
// stored before it asks: whenever it is killed, the next one goes on, and asks for one delivery too many at most. The
// bridge recognises that one by its GUID, which is the event's id. One Sweeper runs at a time, on the leader; a second one
// does no more than that either.
package sweep
