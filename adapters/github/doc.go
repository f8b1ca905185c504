// Package github takes events from GitHub webhooks.
//
// A delivery's way through the package: [Webhook] checks the signature over the raw bytes,
// [Translate] makes a [bridge.Event] of it, the bus stores it, and only then is GitHub answered.
// Later, on whichever replica handles the event, [FactFinder] derives from the stored event what
// filters and expressions see. [Dialect] tells the annotation parser and lint about all of this.
package github
