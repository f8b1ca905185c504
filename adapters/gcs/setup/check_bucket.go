package setup

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
)

func isDone(err error) bool { return errors.Is(err, iterator.Done) }

func (k *checker) bucket(ctx context.Context, name string) error {
	subject := "bucket " + name
	all, err := k.cloud.Storage.Bucket(name).Notifications(ctx)
	switch {
	case notFound(err):
		k.find(subject, "create it, or correct its name", "it does not exist")
		return nil
	case denied(err):
		k.find(subject, gcloud("storage buckets add-iam-policy-binding", word("gs://"+name), "--member=ACCOUNT", "--role=roles/storage.admin"),
			"this command's account may not see its notifications (storage.buckets.get)")
		return nil
	case err != nil:
		return err
	}
	mine := k.mine(all)
	if len(mine) == 0 {
		k.find(subject, k.setUp(name), "it notifies %s", k.whom(all))
		return nil
	}
	for _, n := range mine {
		if n.PayloadFormat != storage.JSONPayload {
			k.find(subject, k.setUp(name)+", then "+gcloud("storage buckets notifications delete", word("projects/_/buckets/"+name+"/notificationConfigs/"+n.ID)),
				"its notification configuration %s has the payload format %s: size, content type and metadata are not known to filters and expressions", n.ID, n.PayloadFormat)
		}
	}
	for _, need := range k.question.Needs {
		if slices.Contains(need.Buckets, name) || need.Wants != nil && need.Wants(name) {
			k.need(name, need, mine)
		}
	}
	return nil
}

// mine are the configurations that notify a topic of the subscriptions, in the order of their ids; without a
// subscription, all.
func (k *checker) mine(all map[string]*storage.Notification) []*storage.Notification {
	var mine []*storage.Notification
	for _, id := range slices.Sorted(maps.Keys(all)) {
		n := all[id]
		if len(k.answer.Subscriptions) == 0 || slices.ContainsFunc(k.read, func(r reading) bool { return goesTo(n, r.topic) }) {
			mine = append(mine, n)
		}
	}
	return mine
}

func (k *checker) whom(all map[string]*storage.Notification) string {
	if len(all) == 0 {
		return "nobody"
	}
	var topics []string
	for _, n := range all {
		topics = append(topics, topicName(n.TopicProjectID, n.TopicID))
	}
	return strings.Join(unique(topics), ", ") + ", which no subscription of the bridge reads"
}

// need tests that the configurations tell a rule of all that it wants.
func (k *checker) need(bucket string, need Need, mine []*storage.Notification) {
	subject := "bucket " + bucket
	telling := slices.DeleteFunc(slices.Clone(mine), func(n *storage.Notification) bool { return !tells(n, need.EventType) })
	if len(telling) == 0 {
		k.find(subject, k.setUp(bucket, flag("event-type", eventName(need.EventType))),
			"%s wants %s, which no notification configuration tells", need.Who, need.EventType)
		return
	}
	wanted := need.Prefixes
	if len(wanted) == 0 {
		wanted = []string{""}
	}
	for _, prefix := range wanted {
		if slices.ContainsFunc(telling, func(n *storage.Notification) bool { return strings.HasPrefix(prefix, n.ObjectNamePrefix) }) {
			continue
		}
		flags := []string{flag("event-type", eventName(need.EventType))}
		what := "all objects"
		if prefix != "" {
			flags, what = append(flags, flag("prefix", prefix)), "objects that begin with "+prefix
		}
		k.find(subject, k.setUp(bucket, flags...), "%s wants %s of %s; the notification configurations tell only of %s",
			need.Who, need.EventType, what, prefixes(telling))
	}
}

func prefixes(all []*storage.Notification) string {
	var p []string
	for _, n := range all {
		p = append(p, n.ObjectNamePrefix)
	}
	return strings.Join(unique(p), ", ")
}

// eventName is the annotation language's word for an event type.
func eventName(eventType string) string {
	for _, name := range gcs.EventNames() {
		if gcs.EventType(name) == eventType {
			return name
		}
	}
	return eventType
}
