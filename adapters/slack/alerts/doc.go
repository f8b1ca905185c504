// Package alerts shows in Slack how runs stand: one message per run and channel, brought up to date as the run goes on,
// with the details in its thread.
//
// It is level-triggered. A notification is merged into the state of an alert, which a table on the bus keeps; a painter
// brings what Slack shows in line with that state, as fast as Slack lets it. So a message can fall behind but shows no
// state that is over, a hundred failures within a minute are one message with a count, and a restart forgets nothing:
// neither a thread, nor a failure that was not told yet.
//
//	notification → which alert is it of (assign.go) → merge (merge.go) → paint (painter.go, paint.go)
//
// A message whose sending was cut off is looked for, by the metadata of Slack's messages, before it is sent again.
package alerts
