// Package slacktest is a Slack to test against: a server in the process that holds its callers to the documented rules of
// Slack, and that sends an app what Slack sends.
//
// It has workspaces with channels, users and user groups, checks tokens and their scopes, holds the limits of Block Kit and
// of rates (429 with Retry-After; [Server.Unheeded] counts who does not wait), keeps each message with its edits and its
// metadata, opens modals for triggers that last three seconds, takes five answers within thirty minutes at a response_url,
// and fails on demand:
//
//	s := slacktest.NewServer("xoxb-test")
//	defer s.Close()
//	s.AddChannel("data-alerts")
//	w := slack.New("xoxb-test", slack.OptionAPIURL(s.APIURL()))
//
// It sends slash commands, events, pressed buttons and submitted modals, signed, to the address of [Server.DeliverTo], or
// over a WebSocket to whoever has connected by Socket Mode.
//
// Its time is that of Options.Now, see [Clock], but for what waits on a connection: the three seconds that an app has for
// its answer are real ones.
package slacktest
