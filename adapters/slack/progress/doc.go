// Package progress tells whoever has given a command in Slack how the runs that it started go on: where the command was,
// for their eyes only, by the command's response_url, which takes five answers within thirty minutes; and after that in
// one message in the channel, which calls them by name and is brought up to date.
//
// Each answer replaces the one before, as far as Slack lets it: of a command's it keeps some and shows the new one below.
// So as little is told as makes sense: that a run has started, and how it has ended.
//
// What is known of a command is kept in a table on the bus, so that any replica can go on, also after a crash. A use of the
// response_url is counted before it is made: after a crash one may be lost, but none is tried that Slack would refuse.
package progress
