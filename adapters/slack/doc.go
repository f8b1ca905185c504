// Package slack takes events from a Slack app (Events API, slash commands, buttons and shortcuts)
// and posts notifications to Slack.
//
// In: [Webhooks] checks the signature over the raw bytes, [TranslateEvent], [TranslateCommand] and
// [TranslateInteraction] make a [bridge.Event] of the request, the bus stores it, and only then is
// Slack answered. [FactFinder] later derives from the stored event what filters and expressions
// see; [Dialect] describes it to lint. Out: [Notifier] writes one message per notification.
package slack
