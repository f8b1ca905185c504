// Package setup puts a bucket's notifications on their way to the bridge, and finds what is missing on it.
//
// [Apply] makes the topic, the subscription with its dead letters, the grants and the bucket's notification configuration.
// It may be asked again: what is there stays, what differs is changed and told, and nothing is ever deleted.
// [Script] is the same as gcloud commands, and calls nothing. [Check] changes nothing.
package setup
