// Package chaos holds the bridge to its first promise, never lost, never doubled, while everything around it
// breaks.
//
// # The world
//
// Three NATS nodes (JetStream, three replicas) and two bridges run as child processes of the test, on a real
// Kubernetes API with the real Argo controller, beside stand-ins for Slack and Pub/Sub. Every connection that
// a network could break goes through a proxy of the test: bridge to node, node to node, bridge to API server.
// Senders play GitHub, Slack and Cloud Storage; they repeat what was not taken, give up on a few events, and
// send a tenth again later, to whichever bridge.
//
// # The chaos
//
// A plan is made from a seed before anything starts: which fault strikes when, and for how long. The same
// seed makes the same plan and the same events. What the scheduler of the machine does in between differs, so
// that a seed repeats the circumstances of a failure, not each of its nanoseconds.
//
// # The promises
//
// A recorder watches every Workflow that is ever made, so that a double counts also when the first one was
// deleted long ago. At the end the checker lists all breaches: an accepted event has exactly one Workflow per
// rule that fits it and one message per outcome that somebody asked for; no event at all has two; each refused
// one was told so; Pub/Sub has its acknowledgements.
//
// # The suite itself
//
// TestTheSuiteCatchesEachSafeguardThatIsOff runs the bridge with one safeguard switched off at a time and
// expects the checker to see it; a suite that does not is worth nothing. README.md says how to run all this.
package chaos
