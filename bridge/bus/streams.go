package bus

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Names on the JetStream account.
const (
	eventStream   = "ARGO_BRIDGE_EVENTS"
	eventSubjects = "bridge.events."
	notifyStream  = "ARGO_BRIDGE_NOTIFICATIONS"
	notifySubject = "bridge.notifications"
	pulseStream   = "ARGO_BRIDGE_PULSE"
	pulseSubject  = "bridge.pulse"
	bucketPrefix  = "ARGO_BRIDGE_"
	bucketStream  = "KV_" + bucketPrefix // how JetStream names the stream of a key-value bucket
)

const (
	// The notifications and each bucket may fill this part of Config.MaxBytes.
	notifyPart = 8
	bucketPart = 8
	// markerTTL is how long a deleted key of a bucket without an age limit leaves a marker.
	markerTTL = time.Hour
)

// streamPlan are the streams that every bridge needs; buckets join it as they are opened.
func streamPlan(c Config) []jetstream.StreamConfig {
	events := stream(c, eventStream, "argo-bridge: events as CloudEvents, kept for replay")
	events.Subjects = []string{eventSubjects + ">"}
	// No MaxAge: an event that waits is never too old. Trim removes what is done with.
	events.MaxBytes = c.MaxBytes

	notifications := stream(c, notifyStream, "argo-bridge: notifications on their way")
	notifications.Subjects = []string{notifySubject}
	notifications.Retention = jetstream.WorkQueuePolicy
	notifications.MaxBytes = c.MaxBytes / notifyPart
	pulse := stream(c, pulseStream, "argo-bridge: a message now and then, to see that messages are stored")
	pulse.Subjects = []string{pulseSubject}
	pulse.MaxMsgsPerSubject = 1
	pulse.MaxBytes = 1 << 20
	return []jetstream.StreamConfig{events, notifications, claimConfig(c), pulse}
}

func stream(c Config, name, description string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        name,
		Description: description,
		Discard:     jetstream.DiscardNew,
		Storage:     jetstream.FileStorage,
		Replicas:    c.Replicas,
		Duplicates:  c.DuplicateWindow,
		MaxMsgs:     -1,
		// A copy that lags answers with what was true before: ask the leader where there are copies.
		AllowDirect: c.Replicas == 1,
	}
}

// bucketConfig is the stream of a key-value bucket, as JetStream's clients expect it. Entries live for
// ttl, or for ever when that is 0.
func bucketConfig(c Config, name string, ttl time.Duration) jetstream.StreamConfig {
	s := stream(c, bucketStream+name, "argo-bridge: "+name)
	s.Subjects = []string{"$KV." + bucketPrefix + name + ".>"}
	s.MaxMsgsPerSubject = 1
	s.MaxBytes = c.MaxBytes / bucketPart
	s.MaxAge = ttl
	s.Duplicates = 2 * time.Minute
	s.AllowRollup = true
	s.DenyDelete = true
	if ttl == 0 {
		s.AllowMsgTTL = true
		s.SubjectDeleteMarkerTTL = markerTTL
	}
	return s
}
