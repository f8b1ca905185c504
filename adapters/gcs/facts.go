package gcs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const noPayload = "the notification has the payload format NONE, which tells only bucket, name and generation"

// FactFinder derives what filters, expressions and people see of GCS events.
//
// The filter values are buckets, objects, content-types, size (bytes, in digits), and metadata and attributes
// (key=value). Content type, size and metadata come from the object resource and are absent, with the reason in
// Missing, where the notification did not carry it. The attributes are those of the notification, with the ones that
// the bucket's notification configuration adds.
//
// An overwrite makes two events: finalized for the new generation and deleted (or archived) for the old one. The
// latter has the value overwritten, the generation that replaced it. Eventarc does not tell it.
//
// Facts.Version is the generation, then the metageneration: of two events about an object the one with the greater
// text is about the newer state.
type FactFinder struct{}

var _ bridge.FactFinder = FactFinder{}

// A resource is what the facts need of an object resource. Its numbers are strings:
// https://cloud.google.com/storage/docs/json_api/v1/objects#resource
type resource struct {
	Bucket      string            `json:"bucket"`
	Name        string            `json:"name"`
	Generation  integer           `json:"generation"`
	Meta        integer           `json:"metageneration"`
	Size        *integer          `json:"size"`
	ContentType string            `json:"contentType"`
	Metadata    map[string]string `json:"metadata"`
	TimeCreated string            `json:"timeCreated"`
}

// An integer is a 64-bit number that JSON writes as a string, or plainly.
type integer int64

func (n *integer) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseInt(string(bytes.Trim(b, `"`)), 10, 64)
	if err != nil {
		return fmt.Errorf("%s is not a whole number", b)
	}
	*n = integer(v)
	return nil
}

// Facts derives the facts of an event whose type begins with google.cloud.storage.object.v1.
func (FactFinder) Facts(e bridge.Event) (bridge.Facts, bool, error) {
	word, ok := strings.CutPrefix(e.Type, typePrefix)
	if !ok {
		return bridge.Facts{}, false, nil
	}
	i := slices.IndexFunc(kinds, func(k struct{ gcs, cloudEvents, name string }) bool { return k.cloudEvents == word })
	if i < 0 {
		return bridge.Facts{}, false, nil
	}
	var r resource
	if b := bytes.TrimLeft(e.Data, " \t\r\n"); len(b) == 0 || b[0] != '{' {
		return bridge.Facts{}, true, fmt.Errorf("the data of %s is not an object resource", e.Type)
	}
	if err := json.Unmarshal(e.Data, &r); err != nil {
		return bridge.Facts{}, true, fmt.Errorf("the data of %s is not an object resource: %w", e.Type, err)
	}
	if r.Bucket == "" || r.Name == "" {
		return bridge.Facts{}, true, fmt.Errorf("the data of %s is not an object resource: it lacks bucket or name", e.Type)
	}
	attributes, err := attributesOf(e)
	if err != nil {
		return bridge.Facts{}, true, err
	}
	f := bridge.Facts{
		Name:    source + "." + kinds[i].name,
		Source:  source,
		Values:  map[string][]string{"buckets": {r.Bucket}, "objects": {r.Name}},
		Missing: map[string]string{},
		URL:     consoleURL(r.Bucket, r.Name),
		Title:   fmt.Sprintf("gs://%s/%s %s", r.Bucket, r.Name, strings.ReplaceAll(kinds[i].name, "-", " ")),
		Object:  r.Name,
		Version: fmt.Sprintf("%020d.%020d", max(0, r.Generation), max(0, r.Meta)),
	}
	r.fill(f)
	f.Values["attributes"] = pairs(attributes)
	if by := attributes["overwrittenByGeneration"]; by != "" {
		f.Values["overwritten"] = []string{by}
	}
	f.Variables = sync.OnceValues(func() (map[string]any, error) { return variables(e, kinds[i].gcs, attributes) })
	return f, true, nil
}

// attributesOf are those of the notification; none for an event that somebody else has published.
func attributesOf(e bridge.Event) (map[string]string, error) {
	var attributes map[string]string
	if s := e.Extensions[extAttributes]; s != "" {
		if err := json.Unmarshal([]byte(s), &attributes); err != nil {
			return nil, fmt.Errorf("read the attributes: %w", err)
		}
	}
	return attributes, nil
}

// pairs writes a map as sorted key=value.
func pairs(m map[string]string) []string {
	all := make([]string, 0, len(m))
	for k, v := range m {
		all = append(all, k+"="+v)
	}
	slices.Sort(all)
	return all
}

func (r resource) fill(f bridge.Facts) {
	if r.Size == nil && r.TimeCreated == "" {
		for _, key := range []string{"content-types", "size", "metadata"} {
			f.Missing[key] = noPayload
		}
		return
	}
	if r.ContentType != "" {
		f.Values["content-types"] = []string{r.ContentType}
	}
	if r.Size != nil {
		f.Values["size"] = []string{strconv.FormatInt(int64(*r.Size), 10)}
	}
	f.Values["metadata"] = pairs(r.Metadata)
}

// variables builds "gcs" and "data". In gcs the object resource's numbers are numbers, save the
// generation, which is a name more than a number.
func variables(e bridge.Event, eventType string, attributes map[string]string) (map[string]any, error) {
	var object map[string]any
	if err := json.Unmarshal(e.Data, &object); err != nil {
		return nil, fmt.Errorf("read the object resource: %w", err)
	}
	named := make(map[string]any, len(attributes))
	for k, v := range attributes {
		named[k] = v
	}
	gcs := map[string]any{"eventType": eventType, "attributes": named, "object": object}
	for _, key := range []string{"bucket", "name", "generation", "metageneration", "contentType", "metadata", "timeCreated", "updated"} {
		if v, ok := object[key]; ok && v != nil {
			gcs[key] = v
		}
	}
	if s, ok := object["size"].(string); ok {
		if n, err := strconv.Atoi(s); err == nil {
			gcs["size"] = n
		}
	}
	for _, key := range []string{"overwroteGeneration", "overwrittenByGeneration"} {
		if v, ok := named[key]; ok {
			gcs[key] = v
		}
	}
	return map[string]any{source: gcs, "data": object}, nil
}

func consoleURL(bucket, object string) string {
	parts := strings.Split(object, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "https://console.cloud.google.com/storage/browser/_details/" + url.PathEscape(bucket) + "/" + strings.Join(parts, "/")
}
