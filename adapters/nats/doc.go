// Package nats publishes notifications of the scheme nats on the bridge's own NATS server or cluster: nats:<subject>.
//
// A notification is a CloudEvent in the NATS binary mode, as the bridge's events are, whose data is announce.Document. It
// bears the header Nats-Msg-Id, so that a stream that keeps the subject keeps it once. Where no stream does, whoever
// subscribes at that moment gets it, and nobody else.
//
// Only the subjects that the config names can be published on: the account may have other users, and the bridge itself.
package nats
