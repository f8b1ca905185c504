// Package githubtest is a GitHub to test against: an HTTP server in the process that keeps the rules of GitHub's REST
// API which an App meets. It verifies the App's JWT with its public key, hands out installation tokens that expire and
// are narrowed, refuses what a token is not for, pages with the Link header, counts rate limits, and fails on demand.
// The API stands under / as on api.github.com and under /api/v3/ as on GitHub Enterprise Server.
//
//	s := githubtest.New(t, githubtest.Options{})
//	s.Install(githubtest.Installation{ID: 7, Account: "acme", Repositories: []string{"acme/app"}})
//	s.Fail("GET /repos/acme/app/pulls/1", githubtest.Fault{Status: 502})
//
// The routes of each part of the API stand in a file of their own, and are registered with handle.
package githubtest
