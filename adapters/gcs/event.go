package gcs

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// source is the short name of this adapter.
	source = "gcs"
	// typePrefix begins the CloudEvents type of every GCS event:
	// https://github.com/googleapis/google-cloudevents/blob/main/proto/google/events/cloud/storage/v1/events.proto
	typePrefix   = "google.cloud.storage.object.v1."
	sourcePrefix = "//storage.googleapis.com/projects/_/buckets/"

	// formatJSON is the payload format of notifications that carry the object resource.
	formatJSON = "JSON_API_V1"

	extBucket     = "bucket"
	extAttributes = "attributes"
)

// kinds are the event types: GCS' own, the last word of the CloudEvents type, and the name in the
// annotation language. OBJECT_INITIALIZE (zonal buckets) is younger than Google's CloudEvents
// types; its type here follows their pattern.
var kinds = []struct{ gcs, cloudEvents, name string }{
	{"OBJECT_FINALIZE", "finalized", "finalized"},
	{"OBJECT_DELETE", "deleted", "deleted"},
	{"OBJECT_ARCHIVE", "archived", "archived"},
	{"OBJECT_METADATA_UPDATE", "metadataUpdated", "metadata-updated"},
	{"OBJECT_INITIALIZE", "initialized", "initialized"},
}

// EventNames are the words of the annotation language for the event types: finalized for gcs.finalized, ...
func EventNames() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// EventType is Cloud Storage's own word for one of EventNames; "" for any other.
func EventType(name string) string {
	for _, k := range kinds {
		if k.name == name {
			return k.gcs
		}
	}
	return ""
}

// Translate makes an event of a Pub/Sub message that a bucket's notification configuration sent.
// An error means that the message is no such notification, and never will be.
//
// The id is bucket/object#generation#eventType, with #metageneration for a change of metadata,
// because duplicates of one notification bear different Pub/Sub message ids. The data is the
// object resource; for the payload format NONE what the attributes tell of it: bucket, name,
// generation and kind. published stands in for a missing eventTime.
func Translate(attributes map[string]string, data []byte, published time.Time) (bridge.Event, error) {
	n, err := parse(attributes, data)
	if err != nil {
		return bridge.Event{}, err
	}
	id := n.bucket + "/" + n.object + "#" + n.generation + "#" + n.eventType
	if n.eventType == "OBJECT_METADATA_UPDATE" {
		// Without the payload there is no metageneration; the time of the change stands in for it.
		id += "#" + cmp.Or(n.metageneration, attributes["eventTime"])
	}
	all, err := json.Marshal(attributes)
	if err != nil {
		return bridge.Event{}, fmt.Errorf("write the attributes: %w", err)
	}
	at, err := time.Parse(time.RFC3339, attributes["eventTime"])
	if err != nil {
		at = published
	}
	return bridge.Event{
		ID:         id,
		Source:     sourcePrefix + n.bucket,
		Type:       typePrefix + n.cloudEvents,
		Subject:    "objects/" + n.object,
		Time:       at.UTC(),
		Extensions: map[string]string{extBucket: n.bucket, extAttributes: string(all)},
		Data:       n.resource,
	}, nil
}

type notification struct {
	bucket, object, generation, metageneration string
	eventType, cloudEvents                     string
	resource                                   json.RawMessage
}

func parse(attributes map[string]string, data []byte) (notification, error) {
	n := notification{
		bucket:     attributes["bucketId"],
		object:     attributes["objectId"],
		generation: attributes["objectGeneration"],
		eventType:  attributes["eventType"],
	}
	if n.bucket == "" || n.object == "" || n.generation == "" {
		return n, errors.New("the message is not a notification of Cloud Storage: it lacks bucketId, objectId or objectGeneration")
	}
	if _, err := strconv.ParseInt(n.generation, 10, 64); err != nil {
		return n, fmt.Errorf("objectGeneration: %q is not a number", n.generation)
	}
	for k, v := range attributes {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return n, fmt.Errorf("attribute %q is not UTF-8", k)
		}
	}
	for _, k := range kinds {
		if k.gcs == n.eventType {
			n.cloudEvents = k.cloudEvents
		}
	}
	if n.cloudEvents == "" {
		return n, fmt.Errorf("eventType: %q is not known", n.eventType)
	}
	return n, n.read(attributes["payloadFormat"], data)
}

func (n *notification) read(format string, data []byte) error {
	switch format {
	case formatJSON:
		var r struct {
			Metageneration json.RawMessage `json:"metageneration"`
		}
		if b := bytes.TrimLeft(data, " \t\r\n"); len(b) == 0 || b[0] != '{' {
			return errors.New("the payload is not a JSON object")
		}
		if err := json.Unmarshal(data, &r); err != nil {
			return fmt.Errorf("read the object resource: %w", err)
		}
		n.metageneration = string(bytes.Trim(r.Metageneration, `"`))
		n.resource = data
		return nil
	case "NONE", "":
		b, err := json.Marshal(map[string]string{
			"kind": "storage#object", "bucket": n.bucket, "name": n.object, "generation": n.generation,
		})
		n.resource = b
		return err
	default:
		return fmt.Errorf("payloadFormat: %q is not known", format)
	}
}
