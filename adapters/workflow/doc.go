// Package workflow makes events of the ends of Workflows, so that one template starts another: `on:
// workflow.succeeded`, workflow.failed and workflow.completed.
//
// [Source] hears of runs from the bridge's own watch and publishes an end that some rule waits for, before
// the watch takes the run as reported: after a crash the same event is published again, under the same
// identity. [Translate] makes the event. It carries all that an expression may ask for: the run, what
// started it, and the event at the beginning of the chain; so [FactFinder] needs nothing but the event.
package workflow
