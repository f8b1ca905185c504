// Package bridge is the vocabulary of argo-bridge: an [Event] comes from a source, a [Rule] on a
// WorkflowTemplate says whether it starts something, a [Submission] becomes a Workflow, a [Run] is
// what became of it, and a [Notification] tells somebody.
//
// The package imports the standard library only. Every stage of an event's way (the folders below
// this one) and every vendor (the folders in adapters) speaks in these types and knows nothing of
// the others.
package bridge
