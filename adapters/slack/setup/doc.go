// Package setup describes the bridge's Slack app, and finds what keeps it from working.
//
// [Needs] are the scopes, events, commands, channels and user groups that rules and a bridge's configuration need. A
// [Manifest] is the app that has them, as Slack makes one of it. [Check] compares the workspaces in which the app is
// installed with the needs, and changes nothing.
package setup
