// Package api asks GitHub as the bridge's App.
//
// [App] makes clients: one that speaks as the App itself, and one per installation and repository whose token is good for
// that repository alone. Tokens are kept until they expire. What an installation has used up of its rate limit, and that
// it is suspended or gone, is known to all of its clients, which then fail at once and say when to come back, instead of
// asking in vain.
//
// [Answers] is the bridge's [bridge.Inquirer] for GitHub: changed files, the message of a commit, the pull request under
// a comment, and whether somebody is to be trusted. What is asked about commits has the same answer however often it is
// asked; what may change is pinned by the caller.
//
// All errors are classified by [github.com/argo-bridge/argo-bridge/adapters/github.Classify].
package api
