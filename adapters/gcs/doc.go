// Package gcs takes events from Google Cloud Storage buckets through their Pub/Sub notifications
// (https://cloud.google.com/storage/docs/pubsub-notifications).
//
// [Source] pulls the messages of the configured subscriptions, [Translate] makes a [bridge.Event]
// of each, and a message is acknowledged once its event is stored on the bus. [FactFinder] later
// derives from the stored event what filters and expressions see; [Dialect] describes it to lint.
package gcs
