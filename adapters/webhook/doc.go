// Package webhook sends notifications of the scheme webhook to HTTP endpoints of the bridge's config: webhook:<name>.
//
// A notification is one POST with a CloudEvent in the structured JSON mode, whose data is announce.Document, signed as
// https://www.standardwebhooks.com says: receivers have libraries for it in most languages. The structured mode is chosen
// since the signature covers the body alone: in the binary mode the event's id, type and subject would not be signed.
//
// An endpoint may get a notification twice, when its answer was lost: webhook-id, which is the event's id, is the same
// then.
package webhook
