package setup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
)

// deletedTopic stands in a subscription for a topic that is gone:
// https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions#Subscription
const deletedTopic = "_deleted-topic_"

// A Question is what Check looks at.
type Question struct {
	// Subscriptions are full names. Pulled are those that the bridge pulls, a part of Subscriptions.
	Subscriptions, Pulled []string
	// Push is how the bridge takes push requests; nil: it is not known.
	Push *gcs.PushConfig
	// Buckets must notify the topic of one of the subscriptions; those that Needs name are added.
	Buckets []string
	// Needs are what the rules of templates want to be told of.
	Needs []Need
	// ServiceAccount is the bridge's. Empty: its grant is not looked for.
	ServiceAccount string
	// Project and BucketProject are where the service agents' names are from; empty: the subscription's.
	Project, BucketProject string
}

// A Need is one event that a rule wants to be told of.
type Need struct {
	// Who is the rule: template and name.
	Who string
	// EventType is Cloud Storage's word, such as OBJECT_FINALIZE.
	EventType string
	// Buckets are those that the rule names; Wants says whether it takes events of any other.
	Buckets []string
	Wants   func(bucket string) bool
	// Prefixes are how the objects' names begin that it takes; empty: all.
	Prefixes []string
}

// A Finding is something on the way of the notifications that is not as the bridge needs it.
type Finding struct {
	// Subject is the thing: bucket landing-prod, subscription projects/p/subscriptions/s.
	Subject string `json:"subject"`
	Problem string `json:"problem"`
	// Remedy is what to do, most often a command.
	Remedy string `json:"remedy"`
}

// An Answer is what Check found.
type Answer struct {
	Buckets       []string `json:"buckets"`
	Subscriptions []string `json:"subscriptions"`
	// Findings is empty where all is well.
	Findings []Finding `json:"findings"`
	// Unchecked are things that the command's account may not look at, each with the reason.
	Unchecked []string `json:"unchecked"`
}

// A checker collects what is found.
type checker struct {
	cloud    *Cloud
	question Question
	answer   Answer
	read     []reading
	agents   map[string]agents
}

// A reading is a subscription with its topic.
type reading struct {
	subscription, topic string
	push                *Push
}

// Check looks at subscriptions, then at buckets, and reports all that it finds. An error means that it could not ask.
func Check(ctx context.Context, c *Cloud, q Question) (Answer, error) {
	k := &checker{cloud: c, question: q, agents: map[string]agents{}}
	k.answer = Answer{Subscriptions: unique(q.Subscriptions), Buckets: q.buckets(), Findings: []Finding{}, Unchecked: []string{}}
	for _, name := range k.answer.Subscriptions {
		if err := k.subscription(ctx, name); err != nil {
			return k.answer, fmt.Errorf("subscription %s: %w", name, explain(err))
		}
	}
	for _, bucket := range k.answer.Buckets {
		if err := k.bucket(ctx, bucket); err != nil {
			return k.answer, fmt.Errorf("bucket %s: %w", bucket, explain(err))
		}
	}
	return k.answer, nil
}

func (q Question) buckets() []string {
	all := slices.Clone(q.Buckets)
	for _, n := range q.Needs {
		all = append(all, n.Buckets...)
	}
	return unique(all)
}

func unique(all []string) []string {
	sorted := slices.Sorted(slices.Values(all))
	return append([]string{}, slices.Compact(sorted)...)
}

func (k *checker) find(subject, remedy, problem string, arguments ...any) {
	k.answer.Findings = append(k.answer.Findings, Finding{Subject: subject, Problem: fmt.Sprintf(problem, arguments...), Remedy: remedy})
}

func (k *checker) unchecked(what string, err error) {
	k.answer.Unchecked = append(k.answer.Unchecked, fmt.Sprintf("%s: %v", what, err))
}

// setUp is the command that cures most of it: that for the first subscription whose topic is known.
func (k *checker) setUp(bucket string, flags ...string) string {
	args := []string{"argo-bridge gcs setup", flag("bucket", bucket)}
	if len(k.read) == 0 {
		return strings.Join(append(append(args, "--project=PROJECT"), flags...), " ")
	}
	r := k.read[0]
	w := Wanted{Project: project(r.topic), Push: r.push}.Defaults()
	args = append(args, flag("project", w.Project))
	if r.topic != w.topic() {
		args = append(args, flag("topic", last(r.topic)))
	}
	if r.subscription != w.subscription() {
		args = append(args, flag("subscription", last(r.subscription)))
	}
	if r.push != nil {
		args = append(args, flag("push-endpoint", r.push.Endpoint), flag("push-service-account", r.push.ServiceAccount))
	}
	return strings.Join(append(args, flags...), " ")
}

// project and last are the second and the last part of projects/P/topics/T.
func project(name string) string { return strings.Split(name, "/")[1] }
func last(name string) string    { return name[strings.LastIndex(name, "/")+1:] }
