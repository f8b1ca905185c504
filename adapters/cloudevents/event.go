package cloudevents

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/cloudevents/sdk-go/v2/types"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// MaxBatch is the most events of one request.
	MaxBatch = 1000
	// maxAttributes is the most bytes of all attributes of an event together: they travel in headers, and some
	// of them in annotations of Workflows.
	maxAttributes = 4 << 10

	headerPrefix = "Ce-"
	eventsMedia  = "application/cloudevents"
)

// errMedia says that the request is in no format that is understood.
var errMedia = errors.New("send a CloudEvent with ce- headers, or as " + eventsMedia + "+json or " + eventsMedia + "-batch+json")

// Translate makes events of a request: one, or those of a batch in their order. All are valid, or none is returned;
// the error then says what is wrong with which attribute. A request in another format is errMedia.
//
// The bus wants JSON: data of a JSON media type is taken as it is, text and XML become a JSON string, and
// other bytes {"contentType": …, "data_base64": …}.
func Translate(ctx context.Context, header http.Header, body []byte) ([]bridge.Event, error) {
	parsed, err := parse(ctx, header, body)
	if err != nil {
		return nil, err
	}
	events := make([]bridge.Event, len(parsed))
	for i := range parsed {
		if events[i], err = translate(&parsed[i]); err != nil && len(parsed) > 1 {
			return nil, fmt.Errorf("event %d of %d: %w", i+1, len(parsed), err)
		}
		if err != nil {
			return nil, err
		}
	}
	return events, nil
}

func parse(ctx context.Context, header http.Header, body []byte) ([]event.Event, error) {
	m := cehttp.NewMessage(unescape(header), io.NopCloser(bytes.NewReader(body)))
	switch m.ReadEncoding() {
	case binding.EncodingBatch:
		events, err := binding.ToEvents(ctx, m, bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("read the batch: %w", err)
		}
		if len(events) > MaxBatch {
			return nil, fmt.Errorf("a batch has at most %d events, this one has %d", MaxBatch, len(events))
		}
		return events, nil
	case binding.EncodingBinary, binding.EncodingStructured:
		e, err := binding.ToEvent(ctx, m)
		if err != nil {
			return nil, fmt.Errorf("read the event: %w", err)
		}
		return []event.Event{*e}, nil
	}
	if strings.HasPrefix(header.Get("Content-Type"), eventsMedia) || !speaks(header) {
		return nil, errMedia
	}
	return nil, fmt.Errorf("specversion: got %q, want 1.0", header.Get(headerPrefix+"Specversion"))
}

// speaks says whether any attribute stands in the headers.
func speaks(header http.Header) bool {
	for name := range header {
		if strings.HasPrefix(name, headerPrefix) {
			return true
		}
	}
	return false
}

// unescape undoes the percent-encoding of attributes in headers, which the SDK leaves as it is (HTTP binding,
// section 3.1.3.2). What is no encoding is taken as it stands.
func unescape(header http.Header) http.Header {
	plain := header.Clone()
	for name, values := range plain {
		if !strings.HasPrefix(name, headerPrefix) {
			continue
		}
		for i, value := range values {
			if decoded, err := url.PathUnescape(value); err == nil {
				values[i] = decoded
			}
		}
	}
	return plain
}

func translate(e *event.Event) (bridge.Event, error) {
	if err := check(e); err != nil {
		return bridge.Event{}, err
	}
	data, err := toJSON(e.DataContentType(), e.Data())
	if err != nil {
		return bridge.Event{}, err
	}
	made := bridge.Event{
		ID: e.ID(), Source: e.Source(), Type: e.Type(), Subject: e.Subject(), Time: utc(e.Time()), Data: data,
	}
	extensions := map[string]string{}
	for name, value := range e.Extensions() {
		if extensions[name], err = types.Format(value); err != nil {
			return made, fmt.Errorf("%s: %w", name, err)
		}
	}
	if e.DataSchema() != "" {
		extensions["dataschema"] = e.DataSchema()
	}
	if len(extensions) > 0 {
		made.Extensions = extensions
	}
	return made, bounded(made)
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// check names every attribute that is missing or bad.
func check(e *event.Event) error {
	if version := e.SpecVersion(); version != event.CloudEventsVersionV1 {
		return fmt.Errorf("specversion: got %q, want 1.0", version)
	}
	var invalid event.ValidationError
	err := e.Validate()
	if !errors.As(err, &invalid) {
		return err
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(invalid)) {
		errs = append(errs, fmt.Errorf("%s: %w", name, invalid[name]))
	}
	return errors.Join(errs...)
}

// bounded refuses attributes that no header can carry.
func bounded(e bridge.Event) error {
	all := map[string]string{"id": e.ID, "source": e.Source, "type": e.Type, "subject": e.Subject}
	maps.Copy(all, e.Extensions)
	size := 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if size += len(name) + len(all[name]); !utf8.ValidString(all[name]) {
			return fmt.Errorf("%s: is not UTF-8", name)
		}
	}
	if size > maxAttributes {
		return fmt.Errorf("the attributes have %d bytes, the limit is %d", size, maxAttributes)
	}
	return nil
}

// toJSON is the data as one JSON value. Data without a media type is JSON where it can be.
func toJSON(contentType string, data []byte) (json.RawMessage, error) {
	if len(data) == 0 {
		return nil, nil
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil && contentType != "" {
		return nil, fmt.Errorf("datacontenttype: %q: %w", contentType, err)
	}
	_, format, _ := strings.Cut(media, "/")
	switch {
	case format == "json" || strings.HasSuffix(format, "+json"):
		if !json.Valid(data) {
			return nil, fmt.Errorf("data: is not the %s that datacontenttype says", media)
		}
		return data, nil
	case media == "" && json.Valid(data):
		return data, nil
	case utf8.Valid(data) && (strings.HasPrefix(media, "text/") || format == "xml" || strings.HasSuffix(format, "+xml")):
		return json.Marshal(string(data))
	}
	return json.Marshal(map[string]string{"contentType": contentType, "data_base64": base64.StdEncoding.EncodeToString(data)})
}
