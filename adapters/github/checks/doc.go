// Package checks shows on GitHub what becomes of the runs that its events start: as check runs, commit statuses,
// comments, deployment statuses, and answers to commands.
//
// Notifications of one run may come at the same time, out of order, twice, and to several replicas. Each thing that is
// shown therefore is a level and not an edge: what a notification says is merged into an entry of the [bridge.Register]
// if it is newer than what stands there, GitHub is then told what the entry says, and the entry is read again; whoever
// finds that it has moved on tells GitHub again. A notification that was interrupted leaves a mark in the entry, by
// which its next delivery knows that GitHub may have been told something old. So the newest state is the one that
// stays, whoever comes last. One delivery at a time tells GitHub, so that nothing is created twice and nothing
// goes back meanwhile; what an earlier one has left in doubt is looked for at GitHub first.
package checks
