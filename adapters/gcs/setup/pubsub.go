package setup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

func (w Wanted) topicStep(name string) step {
	return step{
		subject:  "topic " + name,
		commands: []string{gcloud("pubsub topics create", word(name))},
		ensure: func(ctx context.Context, c *Cloud, _ agents) (State, string, error) {
			_, err := c.Topics.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: name})
			if err == nil {
				return There, "", nil
			}
			if notFound(err) {
				_, err = c.Topics.CreateTopic(ctx, &pubsubpb.Topic{Name: name})
			}
			return Created, "", err
		},
	}
}

// deadSubscriptionStep keeps dead letters: a topic that nobody reads keeps nothing.
func (w Wanted) deadSubscriptionStep() step {
	name := w.deadSubscription()
	return step{
		subject: "subscription " + name,
		commands: []string{gcloud("pubsub subscriptions create", word(name), flag("topic", w.deadLetters()),
			flag("message-retention-duration", seconds(Retention)), "--expiration-period=never")},
		ensure: func(ctx context.Context, c *Cloud, _ agents) (State, string, error) {
			is, err := c.Subscriptions.GetSubscription(ctx, &pubsubpb.GetSubscriptionRequest{Subscription: name})
			switch {
			case err == nil && is.Topic != w.deadLetters():
				return "", "", fmt.Errorf("it is there, and reads %s: choose another --dead-letter-topic", is.Topic)
			case err == nil:
				return There, "", nil
			case notFound(err):
				_, err = c.Subscriptions.CreateSubscription(ctx, &pubsubpb.Subscription{
					Name: name, Topic: w.deadLetters(), MessageRetentionDuration: durationpb.New(Retention),
					ExpirationPolicy: &pubsubpb.ExpirationPolicy{},
				})
			}
			return Created, "", err
		},
	}
}

// want is the subscription as it should be.
func (w Wanted) want() *pubsubpb.Subscription {
	s := &pubsubpb.Subscription{
		Name: w.subscription(), Topic: w.topic(), AckDeadlineSeconds: int32(AckDeadline.Seconds()),
		MessageRetentionDuration: durationpb.New(Retention), ExpirationPolicy: &pubsubpb.ExpirationPolicy{}, // never
		RetryPolicy:      &pubsubpb.RetryPolicy{MinimumBackoff: durationpb.New(MinRetry), MaximumBackoff: durationpb.New(MaxRetry)},
		DeadLetterPolicy: &pubsubpb.DeadLetterPolicy{DeadLetterTopic: w.deadLetters(), MaxDeliveryAttempts: DeliveryAttempts},
	}
	if w.Push != nil {
		s.PushConfig = &pubsubpb.PushConfig{
			PushEndpoint: w.Push.Endpoint,
			AuthenticationMethod: &pubsubpb.PushConfig_OidcToken_{OidcToken: &pubsubpb.PushConfig_OidcToken{
				ServiceAccountEmail: w.Push.ServiceAccount, Audience: w.Push.Audience,
			}},
		}
	}
	return s
}

func (w Wanted) subscriptionStep() step {
	return step{
		subject:  "subscription " + w.subscription(),
		commands: []string{w.subscriptionCommand()},
		ensure: func(ctx context.Context, c *Cloud, _ agents) (State, string, error) {
			is, err := c.Subscriptions.GetSubscription(ctx, &pubsubpb.GetSubscriptionRequest{Subscription: w.subscription()})
			if notFound(err) {
				_, err = c.Subscriptions.CreateSubscription(ctx, w.want())
				return Created, "", err
			}
			if err == nil {
				err = unchangeable(is, w.want())
			}
			if err != nil {
				return "", "", err
			}
			d := differences(is, w.want())
			if len(d) == 0 {
				return There, "", nil
			}
			var says []string
			mask := &fieldmaskpb.FieldMask{}
			for _, one := range d {
				says, mask.Paths = append(says, one.text), append(mask.Paths, one.field)
			}
			_, err = c.Subscriptions.UpdateSubscription(ctx, &pubsubpb.UpdateSubscriptionRequest{Subscription: w.want(), UpdateMask: mask})
			return Changed, strings.Join(says, ", "), err
		},
	}
}

// unchangeable is what only another subscription can cure.
func unchangeable(is, want *pubsubpb.Subscription) error {
	const other = "choose another --subscription"
	switch {
	case is.Topic == deletedTopic:
		return errors.New("its topic was deleted, so that it gets nothing any more: " + other)
	case is.Topic != want.Topic:
		return fmt.Errorf("it is there, and reads %s: %s, or give its --topic", is.Topic, other)
	case is.Detached:
		return errors.New("it is detached from its topic: " + other)
	case is.Filter != "":
		return fmt.Errorf("it has the filter %q, which cannot be changed: %s", is.Filter, other)
	case isPush(is) != isPush(want):
		return fmt.Errorf("it is there, and %s: %s", delivery(is), other)
	}
	return nil
}

func isPush(s *pubsubpb.Subscription) bool { return s.GetPushConfig().GetPushEndpoint() != "" }

func delivery(s *pubsubpb.Subscription) string {
	if isPush(s) {
		return "pushes to " + s.PushConfig.PushEndpoint
	}
	return "is pulled"
}

// A difference is one field of a subscription that is not as wanted.
type difference struct{ field, text string }

func differences(is, want *pubsubpb.Subscription) []difference {
	var all []difference
	compare := func(field, name, is, want string) {
		if is != want {
			all = append(all, difference{field, fmt.Sprintf("%s %s (was %s)", name, want, is)})
		}
	}
	compare("ack_deadline_seconds", "ack deadline", deadline(is), deadline(want))
	compare("retry_policy", "retries", retry(is), retry(want))
	compare("dead_letter_policy", "dead letters", deadLetter(is), deadLetter(want))
	compare("message_retention_duration", "retention", retention(is), retention(want))
	compare("expiration_policy", "expiration", expiration(is), expiration(want))
	compare("push_config", "push", push(is), push(want))
	return all
}

func deadline(s *pubsubpb.Subscription) string {
	return seconds(time.Duration(s.AckDeadlineSeconds) * time.Second)
}

func retry(s *pubsubpb.Subscription) string {
	p := s.GetRetryPolicy()
	if p == nil {
		return "at once"
	}
	return "after " + seconds(p.GetMinimumBackoff().AsDuration()) + " to " + seconds(p.GetMaximumBackoff().AsDuration())
}

func deadLetter(s *pubsubpb.Subscription) string {
	p := s.GetDeadLetterPolicy()
	if p.GetDeadLetterTopic() == "" {
		return "none"
	}
	return fmt.Sprintf("to %s after %d attempts", p.DeadLetterTopic, p.MaxDeliveryAttempts)
}

func retention(s *pubsubpb.Subscription) string {
	return seconds(s.GetMessageRetentionDuration().AsDuration())
}

// expiration: a policy without a time to live means never, and none 31 days.
func expiration(s *pubsubpb.Subscription) string {
	if s.GetExpirationPolicy() == nil {
		return "after 31 days without use"
	}
	if ttl := s.ExpirationPolicy.GetTtl(); ttl != nil {
		return "after " + seconds(ttl.AsDuration()) + " without use"
	}
	return "never"
}

func push(s *pubsubpb.Subscription) string {
	p := s.GetPushConfig()
	if p.GetPushEndpoint() == "" {
		return "none"
	}
	t := p.GetOidcToken()
	if t == nil {
		return "to " + p.PushEndpoint + ", unsigned"
	}
	return fmt.Sprintf("to %s, signed by %s for %s", p.PushEndpoint, t.ServiceAccountEmail, t.Audience)
}

// seconds is how Pub/Sub and gcloud write durations.
func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int64(d.Seconds())) }
