// Package admin is the bridge's authenticated API for people: which events came, what became of
// them, and, once more, please. `argo-bridge events` is its client.
//
// # Routes
//
//	GET  /api/v1/events         records, the latest first; parameters: see ParseQuery
//	GET  /api/v1/events/{id}    one bridge.Story; the id is path-escaped, or the event's hash
//	GET  /api/v1/events:tail    records as they are written, until the client hangs up
//	POST /api/v1/replays        a bridge.Replay; the answer is its decisions
//	GET  /api/v1/silences       a JSON array of bridge.Silence
//	POST /api/v1/silences       a bridge.Silence; the answer is it
//	DELETE /api/v1/silences/{id}  ends it; the answer is {}
//
// The events but the second, and the replays, answer a stream of lines, each one JSON object with one member (see Line). The last
// line has the member end, or fault: without either the answer was cut off. Empty lines are heartbeats.
//
// # Expectations
//
// Every request bears a token that the Authenticator knows, and tells who it is; without an
// Authenticator everything is refused. Reading shows the payloads of all events, replaying starts
// Workflows with the bridge's rights: both are for those who run the bridge. Every replay and every
// refusal is one line in the log, with the user. Tokens are never logged nor kept.
package admin
