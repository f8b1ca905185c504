package gcs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// headerSubscription is on a push request without an envelope:
// https://cloud.google.com/pubsub/docs/payload-unwrapping
const headerSubscription = "X-Goog-Pubsub-Subscription-Name"

// An envelope is the body of a push request: https://cloud.google.com/pubsub/docs/push#receive_push
type envelope struct {
	Message struct {
		Attributes  map[string]string `json:"attributes"`
		Data        []byte            `json:"data"` // base64
		PublishTime time.Time         `json:"publishTime"`
	} `json:"message"`
	Subscription string `json:"subscription"`
}

// open makes an event of a push request: a CloudEvent from Eventarc, a message without an envelope, or one in it.
func open(h http.Header, body []byte, arrived time.Time) (bridge.Event, error) {
	switch {
	case isCloudEvent(h):
		return openCloudEvent(h, body)
	case h.Get(headerSubscription) != "":
		return openUnwrapped(h, body, arrived)
	}
	return openEnvelope(body, arrived)
}

func openEnvelope(body []byte, arrived time.Time) (bridge.Event, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return bridge.Event{}, fmt.Errorf("the body is not the envelope of a Pub/Sub message: %w", err)
	}
	if e.Message.Attributes == nil {
		return bridge.Event{}, errors.New("the body is not the envelope of a message of Cloud Storage: message.attributes is missing " +
			"(a subscription without an envelope needs --push-no-wrapper-write-metadata)")
	}
	if e.Message.PublishTime.IsZero() {
		e.Message.PublishTime = arrived
	}
	return Translate(e.Message.Attributes, e.Message.Data, e.Message.PublishTime)
}

// openUnwrapped reads the attributes that Cloud Storage itself sets from the headers. Those that a notification
// configuration adds cannot be told from other headers, and are not there.
func openUnwrapped(h http.Header, body []byte, arrived time.Time) (bridge.Event, error) {
	attributes := map[string]string{}
	for _, name := range []string{
		"notificationConfig", "eventType", "payloadFormat", "bucketId", "objectId", "objectGeneration", "eventTime",
		"overwroteGeneration", "overwrittenByGeneration",
	} {
		if v := h.Get(name); v != "" {
			attributes[name] = v
		}
	}
	if attributes["payloadFormat"] == formatJSON {
		// A header cannot carry every name; the payload does.
		if err := nameObject(attributes, body); err != nil {
			return bridge.Event{}, err
		}
	}
	published, err := time.Parse(time.RFC3339, h.Get("X-Goog-Pubsub-Publish-Time"))
	if err != nil {
		published = arrived
	}
	return Translate(attributes, body, published)
}

// nameObject sets the attributes that name the object, by its resource.
func nameObject(attributes map[string]string, object []byte) error {
	var r struct {
		Bucket, Name string
		Generation   json.RawMessage
	}
	if err := json.Unmarshal(object, &r); err != nil {
		return fmt.Errorf("read the object resource: %w", err)
	}
	if r.Bucket == "" || r.Name == "" || len(r.Generation) == 0 {
		return errors.New("the object resource lacks bucket, name or generation")
	}
	attributes["bucketId"], attributes["objectId"] = r.Bucket, r.Name
	attributes["objectGeneration"] = string(bytes.Trim(r.Generation, `"`))
	return nil
}

func mediaType(h http.Header) string {
	mt, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return mt
}
