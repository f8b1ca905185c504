package setup

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
)

// What every subscription gets. A message that the bridge does not acknowledge comes again after 10 s, then ever later
// up to 10 min; after 100 times, some 15 hours, it goes to the dead-letter topic.
const (
	AckDeadline      = 60 * time.Second
	MinRetry         = 10 * time.Second
	MaxRetry         = 600 * time.Second
	DeliveryAttempts = 100
	Retention        = 7 * 24 * time.Hour
)

const (
	defaultName = "argo-bridge"
	// maxAttributes is GCS' own limit: https://cloud.google.com/storage/docs/pubsub-notifications#attributes
	maxAttributes = 10
)

// Wanted is the way of a bucket's notifications to the bridge.
type Wanted struct {
	Bucket string
	// Project holds topics and subscriptions; BucketProject the bucket, default: Project.
	Project, BucketProject string
	// ProjectNumber is that of Project. Default: Cloud Storage is asked.
	ProjectNumber string
	// Topic, DeadLetterTopic and Subscription are names in Project, by default argo-bridge, TOPIC-dead and
	// argo-bridge (argo-bridge-push when it pushes). Several buckets may share them.
	Topic, DeadLetterTopic, Subscription string
	// ServiceAccount is the bridge's, which pulls: an email address. Empty: no grant is made.
	ServiceAccount string
	// EventTypes are the words of the annotation language: finalized, deleted, ... Default: finalized.
	EventTypes []string
	// Prefix restricts the notifications to objects whose names begin with it.
	Prefix string
	// Attributes are added to every notification; filters see them as attributes.
	Attributes map[string]string
	// Push makes the subscription push; nil: the bridge pulls.
	Push *Push
}

// Push is where a subscription pushes to, and as whom.
type Push struct {
	Endpoint, ServiceAccount string
	// Audience is that of the tokens; default: Endpoint.
	Audience string
}

// Defaults returns w with what is not set.
func (w Wanted) Defaults() Wanted {
	set := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	set(&w.BucketProject, w.Project)
	set(&w.Topic, defaultName)
	set(&w.DeadLetterTopic, w.Topic+"-dead")
	if w.Push != nil {
		p := *w.Push
		set(&p.Audience, p.Endpoint)
		w.Push = &p
		set(&w.Subscription, defaultName+"-push")
	}
	set(&w.Subscription, defaultName)
	if len(w.EventTypes) == 0 {
		w.EventTypes = []string{"finalized"}
	}
	return w
}

var (
	projectPattern = regexp.MustCompile(`^([a-z][a-z0-9.:-]{2,}[a-z0-9]|[0-9]+)$`)
	bucketPattern  = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$`)
	namePattern    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._~+%-]{2,254}$`)
	emailPattern   = regexp.MustCompile(`^[^@\s:]+@[^@\s:]+\.[^@\s:]+$`)
	numberPattern  = regexp.MustCompile(`^[0-9]*$`)
)

// Validate names every bad field by its flag.
func (w Wanted) Validate() error {
	var errs []error
	match := func(flag, value string, p *regexp.Regexp, what string) {
		if !p.MatchString(value) {
			errs = append(errs, fmt.Errorf("--%s: %q is no %s", flag, value, what))
		}
	}
	match("bucket", w.Bucket, bucketPattern, "bucket's name (without gs://)")
	match("project", w.Project, projectPattern, "project id")
	match("bucket-project", w.BucketProject, projectPattern, "project id")
	match("project-number", w.ProjectNumber, numberPattern, "number")
	match("topic", w.Topic, namePattern, "topic's name")
	match("dead-letter-topic", w.DeadLetterTopic, namePattern, "topic's name")
	match("subscription", w.Subscription, namePattern, "subscription's name")
	if w.Topic == w.DeadLetterTopic {
		errs = append(errs, errors.New("--dead-letter-topic: dead letters cannot go to the topic that they come from"))
	}
	if w.ServiceAccount != "" {
		match("service-account", w.ServiceAccount, emailPattern, "service account's email address")
	}
	for _, t := range w.EventTypes {
		if gcs.EventType(t) == "" {
			errs = append(errs, fmt.Errorf("--event-type: %q is none of %s", t, strings.Join(gcs.EventNames(), ", ")))
		}
	}
	return errors.Join(append(errs, w.validateAttributes(), w.Push.validate())...)
}

func (w Wanted) validateAttributes() error {
	var errs []error
	if len(w.Attributes) > maxAttributes {
		errs = append(errs, fmt.Errorf("--attribute: a notification has at most %d", maxAttributes))
	}
	for _, k := range slices.Sorted(maps.Keys(w.Attributes)) {
		if k == "" || len(k) > 256 || len(w.Attributes[k]) > 1024 {
			errs = append(errs, fmt.Errorf("--attribute: %q: a key has 1 to 256 characters, a value at most 1024", k))
		}
	}
	return errors.Join(errs...)
}

func (p *Push) validate() error {
	if p == nil {
		return nil
	}
	var errs []error
	if u, err := url.Parse(p.Endpoint); err != nil || u.Scheme != "https" || u.Host == "" {
		errs = append(errs, fmt.Errorf("--push-endpoint: %q is no address such as https://bridge.example.com/webhooks/gcs", p.Endpoint))
	}
	if !emailPattern.MatchString(p.ServiceAccount) {
		errs = append(errs, fmt.Errorf("--push-service-account: %q is no service account's email address; the bridge takes no unsigned requests", p.ServiceAccount))
	}
	return errors.Join(errs...)
}

func (w Wanted) topic() string            { return topicName(w.Project, w.Topic) }
func (w Wanted) deadLetters() string      { return topicName(w.Project, w.DeadLetterTopic) }
func (w Wanted) subscription() string     { return subscriptionName(w.Project, w.Subscription) }
func (w Wanted) deadSubscription() string { return subscriptionName(w.Project, w.DeadLetterTopic) }

func topicName(project, name string) string { return "projects/" + project + "/topics/" + name }
func subscriptionName(project, name string) string {
	return "projects/" + project + "/subscriptions/" + name
}

// eventTypes are Cloud Storage's own words, sorted.
func (w Wanted) eventTypes() []string {
	var all []string
	for _, t := range w.EventTypes {
		all = append(all, gcs.EventType(t))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
