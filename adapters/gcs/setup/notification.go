package setup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cloud.google.com/go/storage"
)

func (w Wanted) notificationStep() step {
	return step{
		subject:  "notifications of bucket " + w.Bucket + " to topic " + w.topic(),
		commands: []string{w.notificationCommand()},
		ensure: func(ctx context.Context, c *Cloud, _ agents) (State, string, error) {
			all, err := c.Storage.Bucket(w.Bucket).Notifications(ctx)
			if notFound(err) {
				return "", "", fmt.Errorf("there is no bucket %s: create it first", w.Bucket)
			}
			if err != nil {
				return "", "", err
			}
			missing := w.missing(all)
			if len(missing) == 0 {
				return There, "", nil
			}
			_, err = c.Storage.Bucket(w.Bucket).AddNotification(ctx, &storage.Notification{
				TopicProjectID: w.Project, TopicID: w.Topic, PayloadFormat: storage.JSONPayload, EventTypes: missing,
				ObjectNamePrefix: w.Prefix, CustomAttributes: w.Attributes,
			})
			return Created, w.notified(all, missing), err
		},
	}
}

// missing are the event types that no configuration of the bucket covers. A configuration cannot be changed; what one
// leaves out, another adds.
func (w Wanted) missing(all map[string]*storage.Notification) []string {
	return slices.DeleteFunc(w.eventTypes(), func(t string) bool {
		for _, n := range all {
			if goesTo(n, w.topic()) && n.PayloadFormat == storage.JSONPayload && tells(n, t) &&
				strings.HasPrefix(w.Prefix, n.ObjectNamePrefix) && includes(n.CustomAttributes, w.Attributes) {
				return true
			}
		}
		return false
	})
}

// notified says what was made, and what stands beside it.
func (w Wanted) notified(all map[string]*storage.Notification, made []string) string {
	text := strings.Join(made, ", ")
	var others []string
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if goesTo(all[id], w.topic()) {
			others = append(others, id)
		}
	}
	if len(others) > 0 {
		text += "; the bucket has configuration " + strings.Join(others, ", ") + " to this topic as well, and the bridge takes what both tell once"
	}
	return text
}

func goesTo(n *storage.Notification, topic string) bool {
	return topicName(n.TopicProjectID, n.TopicID) == topic
}

// tells says whether the configuration covers an event type; one without types covers all.
func tells(n *storage.Notification, eventType string) bool {
	return len(n.EventTypes) == 0 || slices.Contains(n.EventTypes, eventType)
}

func includes(has, wanted map[string]string) bool {
	for k, v := range wanted {
		if got, ok := has[k]; !ok || got != v {
			return false
		}
	}
	return true
}
