// Package setup makes the bridge's GitHub App, and finds what keeps it from working.
//
// [Needs] are the permissions and events that rules need. A [Flow] makes an App that has them, by GitHub's manifest flow: a
// page on this machine sends a person to GitHub, and GitHub sends them back with a code that is exchanged for the App's
// private key and webhook secret. [Check] compares an App, its webhook and its installations with the needs, and changes
// nothing.
package setup
