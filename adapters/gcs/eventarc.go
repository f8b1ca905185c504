package gcs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// typePublished is a trigger's on a topic. Its data are the envelope of a push request:
// https://github.com/googleapis/google-cloudevents/blob/main/proto/google/events/cloud/pubsub/v1/data.proto
const typePublished = "google.cloud.pubsub.topic.v1.messagePublished"

// isCloudEvent knows both modes of https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
func isCloudEvent(h http.Header) bool {
	return h.Get("Ce-Specversion") != "" || strings.HasPrefix(mediaType(h), "application/cloudevents")
}

// openCloudEvent makes of Eventarc's event the one that the bucket's own notification makes, with the same id: a bucket may
// have both, and Eventarc's ids are those of Pub/Sub messages, which differ between duplicates. The object is the
// one of the data (google.events.cloud.storage.v1.StorageObjectData); the headers are not needed to name it.
func openCloudEvent(h http.Header, body []byte) (bridge.Event, error) {
	h = h.Clone()
	h.Del("Ce-") // the SDK expects a name after it
	ce, err := binding.ToEvent(context.Background(), cehttp.NewMessage(h, io.NopCloser(bytes.NewReader(body))))
	if err == nil {
		err = ce.Validate()
	}
	if err != nil {
		return bridge.Event{}, fmt.Errorf("read the CloudEvent: %w", err)
	}
	if ce.Type() == typePublished {
		return openEnvelope(ce.Data(), ce.Time())
	}
	word, ok := strings.CutPrefix(ce.Type(), typePrefix)
	if !ok {
		return bridge.Event{}, fmt.Errorf("the CloudEvent %q is not one of Cloud Storage", ce.Type())
	}
	attributes := map[string]string{"payloadFormat": formatJSON}
	for _, k := range kinds {
		if k.cloudEvents == word {
			attributes["eventType"] = k.gcs
		}
	}
	if attributes["eventType"] == "" {
		return bridge.Event{}, fmt.Errorf("the CloudEvent's type %q is not known", ce.Type())
	}
	if !ce.Time().IsZero() {
		attributes["eventTime"] = ce.Time().UTC().Format(time.RFC3339Nano)
	}
	if len(ce.Data()) == 0 {
		return bridge.Event{}, errors.New("the CloudEvent has no data")
	}
	if err := nameObject(attributes, ce.Data()); err != nil {
		return bridge.Event{}, err
	}
	return Translate(attributes, ce.Data(), ce.Time())
}
