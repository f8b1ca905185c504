// Package slack takes events from a Slack app (Events API, slash commands, buttons, forms and shortcuts), and knows who may
// order what from there.
//
// In: [Webhooks] checks the signature over the raw bytes, and [Socket] fetches what Slack delivers by Socket Mode; both bring
// it to the [Inbox]. [TranslateEvent], [TranslateCommand] and [TranslateInteraction] make a [bridge.Event] of it, the bus
// stores it, and only then is Slack answered. [FactFinder] later derives from the stored event what filters and expressions
// see, and what the bridge's own command, buttons and form order; [Dialect] describes it to lint. A [Warden] says who may.
//
// What else there is to Slack stands below: alerts and message (what is posted), desk (the commands that only show
// something, and forms), progress (how what a command has started goes on), setup (the app).
package slack
