// Package bus carries events, notifications and records over NATS JetStream: a server embedded in
// this process with a file store, or an external cluster. It is the only package that imports NATS.
//
// # Streams and buckets
//
// Events stand in the stream ARGO_BRIDGE_EVENTS under bridge.events.<CloudEvents type>, as
// CloudEvents 1.0 in the binary mode of the NATS binding, so that any CloudEvents client can publish
// or read them. Notifications on their way stand in ARGO_BRIDGE_NOTIFICATIONS. Both refuse new
// messages when they are full (DiscardNew): what was accepted is never dropped to make room. What
// became of events and runs stands in key-value buckets, see [Bus.Bucket].
//
// # Promises
//
// [Bus.Publish] returns nil only after the server has stored the event. A consumed message is
// acknowledged only when its handler returns nil or a permanent error; any other error, and the death
// of the process, brings it back.
package bus
