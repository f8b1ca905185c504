package setup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
)

const consume = "pubsub.subscriptions.consume"

func (k *checker) subscription(ctx context.Context, name string) error {
	subject := "subscription " + name
	s, err := k.cloud.Subscriptions.GetSubscription(ctx, &pubsubpb.GetSubscriptionRequest{Subscription: name})
	switch {
	case notFound(err):
		k.find(subject, "create it with argo-bridge gcs setup, or correct its name", "it does not exist")
		return nil
	case denied(err):
		k.find(subject, "grant the account roles/pubsub.viewer on it, and ask again", "this command's account may not look at it")
		return k.mayConsume(ctx, name)
	case err != nil:
		return err
	}
	k.settings(s)
	if s.Topic != deletedTopic {
		k.read = append(k.read, reading{name, s.Topic, pushOf(s)})
		if err := k.topic(ctx, subject, s.Topic); err != nil {
			return err
		}
	}
	if err := k.deadLetters(ctx, s); err != nil {
		return err
	}
	if isPush(s) {
		return nil
	}
	if k.question.ServiceAccount != "" {
		k.granted(ctx, "subscription", name, subscriber, "the bridge", k.question.ServiceAccount)
		return nil
	}
	return k.mayConsume(ctx, name)
}

func pushOf(s *pubsubpb.Subscription) *Push {
	if !isPush(s) {
		return nil
	}
	return &Push{Endpoint: s.PushConfig.PushEndpoint, ServiceAccount: s.PushConfig.GetOidcToken().GetServiceAccountEmail()}
}

// settings are the subscription's own.
func (k *checker) settings(s *pubsubpb.Subscription) {
	subject := "subscription " + s.Name
	change := func(args ...string) string {
		return gcloud("pubsub subscriptions update", append([]string{word(s.Name)}, args...)...)
	}
	const another = "make another one with argo-bridge gcs setup, and name it in the bridge's configuration"
	switch {
	case s.Topic == deletedTopic:
		k.find(subject, another, "its topic was deleted: it gets nothing any more")
	case s.Detached:
		k.find(subject, another, "it is detached from its topic: it gets nothing any more")
	}
	if s.Filter != "" {
		k.find(subject, "a filter cannot be changed: "+another, "it has the filter %q: what does not fit it is acknowledged unseen", s.Filter)
	}
	if d := time.Duration(s.AckDeadlineSeconds) * time.Second; d < AckDeadline {
		k.find(subject, change("--ack-deadline=60"), "its ack deadline is %s, less than %s: messages come again while the bus is slow", seconds(d), seconds(AckDeadline))
	}
	if s.RetryPolicy == nil {
		k.find(subject, change("--min-retry-delay="+seconds(MinRetry), "--max-retry-delay="+seconds(MaxRetry)),
			"it has no retry policy: what the bridge cannot store comes again at once, and all attempts are used up in no time")
	}
	if p := s.GetExpirationPolicy(); p == nil || p.GetTtl() != nil {
		k.find(subject, change("--expiration-period=never"), "it expires %s", expiration(s))
	}
	k.delivered(s, change)
}

// delivered tests that the messages reach the bridge as its configuration expects them.
func (k *checker) delivered(s *pubsubpb.Subscription, change func(...string) string) {
	subject := "subscription " + s.Name
	pulled := slices.Contains(k.question.Pulled, s.Name)
	switch {
	case pulled && isPush(s):
		k.find(subject, "take it out of gcs.subscriptions and configure gcs.push, or "+change("--push-endpoint="),
			"the bridge pulls it, but it %s", delivery(s))
	case isPush(s) && s.PushConfig.GetOidcToken() == nil:
		k.find(subject, change(flag("push-endpoint", s.PushConfig.PushEndpoint), "--push-auth-service-account=ACCOUNT"),
			"it pushes unsigned: the bridge refuses that")
	case isPush(s) && k.question.Push != nil:
		k.signed(s, k.question.Push)
	case s.GetBigqueryConfig().GetTable() != "" || s.GetCloudStorageConfig().GetBucket() != "":
		k.find(subject, "make another one with argo-bridge gcs setup", "it writes to BigQuery or Cloud Storage: the bridge cannot read it")
	}
}

// signed tests that the bridge takes what the subscription signs.
func (k *checker) signed(s *pubsubpb.Subscription, p *gcs.PushConfig) {
	subject, token := "subscription "+s.Name, s.PushConfig.GetOidcToken()
	audience := cmp.Or(token.Audience, s.PushConfig.PushEndpoint)
	if audience != p.Audience {
		k.find(subject, "set gcs.push.audience to "+audience, "its tokens are for %s, and the bridge takes those for %s", audience, p.Audience)
	}
	if !slices.Contains(p.ServiceAccounts, token.ServiceAccountEmail) {
		k.find(subject, "add it there", "its tokens are of %s, which is not in gcs.push.serviceAccounts", token.ServiceAccountEmail)
	}
}

func (k *checker) topic(ctx context.Context, subject, name string) error {
	_, err := k.cloud.Topics.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: name})
	switch {
	case notFound(err):
		k.find(subject, "make it with argo-bridge gcs setup", "its topic %s does not exist", name)
	case denied(err):
		k.unchecked("topic "+name, err)
	case err != nil:
		return err
	default:
		if a, ok := k.agentsOf(ctx, name); ok {
			k.granted(ctx, "topic", name, publisher, "Cloud Storage's service agent", a.storage)
		}
	}
	return nil
}

// deadLetters are kept when the subscription has a policy, Pub/Sub may move them, and somebody keeps them.
func (k *checker) deadLetters(ctx context.Context, s *pubsubpb.Subscription) error {
	subject := "subscription " + s.Name
	name := s.GetDeadLetterPolicy().GetDeadLetterTopic()
	if name == "" {
		k.find(subject, gcloud("pubsub subscriptions update", word(s.Name), "--dead-letter-topic=TOPIC", "--max-delivery-attempts=100"),
			"it has no dead-letter policy: a message that is no notification comes again until it is 7 days old")
		return nil
	}
	if name == deletedTopic {
		k.find(subject, "make it with argo-bridge gcs setup", "its dead-letter topic was deleted")
		return nil
	}
	_, err := k.cloud.Topics.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: name})
	if err == nil {
		_, err = k.cloud.Topics.ListTopicSubscriptions(ctx, &pubsubpb.ListTopicSubscriptionsRequest{Topic: name}).Next()
	}
	switch {
	case notFound(err):
		k.find(subject, "make it with argo-bridge gcs setup", "its dead-letter topic %s does not exist", name)
		return nil
	case denied(err):
		k.unchecked("the subscriptions of topic "+name, err)
	case isDone(err):
		k.find(subject, gcloud("pubsub subscriptions create", "NAME", flag("topic", name)),
			"nothing reads its dead-letter topic %s: dead letters are lost", name)
	case err != nil:
		return err
	}
	if a, ok := k.agentsOf(ctx, s.Name); ok {
		k.granted(ctx, "topic", name, publisher, "Pub/Sub's service agent", a.pubsub)
		k.granted(ctx, "subscription", s.Name, subscriber, "Pub/Sub's service agent", a.pubsub)
	}
	return nil
}

// mayConsume asks what the command's own account may do, which is the bridge's when the command runs as it.
func (k *checker) mayConsume(ctx context.Context, name string) error {
	r, err := k.cloud.Subscriptions.TestIamPermissions(ctx, &iampb.TestIamPermissionsRequest{Resource: name, Permissions: []string{consume}})
	if denied(err) || notFound(err) || err == nil && !slices.Contains(r.Permissions, consume) {
		k.find("subscription "+name,
			gcloud("pubsub subscriptions add-iam-policy-binding", word(name), "--member=serviceAccount:ACCOUNT", flag("role", subscriber)),
			"this command's account may not pull it (%s); when the bridge has another account, name it with --service-account", consume)
		return nil
	}
	return err
}

// granted looks for a grant on the thing itself. One on its project is not seen.
func (k *checker) granted(ctx context.Context, kind, name, role, who, account string) {
	g := grant{kind: kind, name: name, role: role, variable: account}
	policy, err := readPolicy(ctx, g.policies(k.cloud), name)
	if err != nil {
		k.unchecked(fmt.Sprintf("whether %s has %s on %s %s", who, role, kind, name), err)
		return
	}
	member := "serviceAccount:" + account
	if !slices.ContainsFunc(sufficient(role), func(r string) bool { return bound(policy, r, member) }) {
		k.find(kind+" "+name, g.step().commands[0], "%s (%s) has no %s on it, unless its project grants it", who, account, role)
	}
}

// sufficient are the roles that hold what the role does.
func sufficient(role string) []string {
	return []string{role, "roles/pubsub.editor", "roles/pubsub.admin", "roles/editor", "roles/owner"}
}

// agentsOf are the service agents for a topic or subscription; false when Cloud Storage does not tell.
func (k *checker) agentsOf(ctx context.Context, name string) (agents, bool) {
	w := Wanted{Project: k.question.Project, BucketProject: k.question.BucketProject}
	if w.Project == "" {
		w.Project = project(name)
	}
	w = w.Defaults()
	if a, ok := k.agents[w.Project]; ok {
		return a, a != agents{}
	}
	a, err := k.cloud.agents(ctx, w)
	if err != nil {
		k.unchecked("what the service agents of project "+w.Project+" may do", err)
		a = agents{}
	}
	k.agents[w.Project] = a
	return a, err == nil
}
