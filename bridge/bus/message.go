package bus

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Header names of the binary mode, https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/nats-protocol-binding.md
const (
	headerPrefix      = "ce-"
	headerContentType = "content-type"
	structuredType    = "application/cloudevents+json"
)

// encode writes the event as a CloudEvents message in binary mode, without its data.
func encode(e bridge.Event) *nats.Msg {
	h := nats.Header{
		"ce-specversion":  {"1.0"},
		"ce-id":           {escape(e.ID)},
		"ce-source":       {escape(e.Source)},
		"ce-type":         {escape(e.Type)},
		headerContentType: {"application/json"},
		nats.MsgIdHdr:     {escape(e.Key())},
	}
	if e.Subject != "" {
		h["ce-subject"] = []string{escape(e.Subject)}
	}
	if !e.Time.IsZero() {
		h["ce-time"] = []string{e.Time.UTC().Format(time.RFC3339Nano)}
	}
	for name, value := range e.Extensions {
		h[headerPrefix+name] = []string{escape(value)}
	}
	return &nats.Msg{Subject: eventSubject(e.Type), Header: h}
}

// An envelope is a message whose headers have been read and whose data has not.
type envelope struct {
	attributes  map[string]string // CloudEvents attributes and extensions
	contentType string
	encoding    string // of the data, in HTTP's words; empty: as it is
	size        int64  // of the data when it is decoded, as the headers say; 0: they do not
	data        []byte // as the message holds it
}

// unseal reads the headers of a message.
func unseal(header nats.Header, data []byte) envelope {
	v := envelope{attributes: map[string]string{}, data: data}
	for name, values := range header {
		if len(values) == 0 {
			continue
		}
		switch name = strings.ToLower(name); name {
		case headerContentType:
			v.contentType = values[0]
		case headerEncoding:
			v.encoding = strings.ToLower(strings.TrimSpace(values[0]))
		case headerSize:
			v.size = dataSize(values[0])
		default:
			if attribute, ok := strings.CutPrefix(name, headerPrefix); ok {
				v.attributes[attribute] = unescape(values[0])
			}
		}
	}
	return v
}

// event makes the event of the message's attributes and its decoded data, in binary or structured
// mode. An error means that the message is no CloudEvent with JSON data.
func (v envelope) event(data []byte) (bridge.Event, error) {
	// A client of a time before NATS had headers knows the structured mode only.
	if strings.HasPrefix(v.contentType, structuredType) || v.contentType == "" && len(v.attributes) == 0 {
		return decodeStructured(data)
	}
	return fromAttributes(v.attributes, data)
}

func decodeStructured(body []byte) (bridge.Event, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return bridge.Event{}, fmt.Errorf("structured CloudEvent: %w", err)
	}
	data := members["data"]
	delete(members, "data")
	attributes := map[string]string{}
	for name, raw := range members {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw) // a number or boolean, which CloudEvents allows for extensions
		}
		attributes[name] = s
	}
	return fromAttributes(attributes, data)
}

func fromAttributes(attributes map[string]string, data []byte) (bridge.Event, error) {
	e := bridge.Event{Data: data}
	for name, value := range attributes {
		switch name {
		case "id":
			e.ID = value
		case "source":
			e.Source = value
		case "type":
			e.Type = value
		case "subject":
			e.Subject = value
		case "time":
			at, err := time.Parse(time.RFC3339Nano, value)
			if err != nil {
				return bridge.Event{}, fmt.Errorf("CloudEvent attribute time: %w", err)
			}
			e.Time = at
		case "specversion", "datacontenttype":
		default:
			if e.Extensions == nil {
				e.Extensions = map[string]string{}
			}
			e.Extensions[name] = value
		}
	}
	for name, value := range map[string]string{"id": e.ID, "source": e.Source, "type": e.Type} {
		if value == "" {
			return bridge.Event{}, fmt.Errorf("CloudEvent without the attribute %s", name)
		}
	}
	if len(data) > 0 && !json.Valid(data) {
		return bridge.Event{}, fmt.Errorf("CloudEvent %s: the data is not JSON", e.ID)
	}
	return e, nil
}

// escape percent-encodes what a header may not carry: anything but printable ASCII, and space,
// double quote and percent (HTTP protocol binding, section 3.1.3.2).
func escape(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] > ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '%'
	}
	if plain {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c > ' ' && c < 0x7f && c != '"' && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// unescape is lenient: a client that does not percent-encode is understood as well.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// eventSubject is the subject of an event: its type's dots separate tokens; a byte that a subject
// may not hold becomes an underscore.
func eventSubject(eventType string) string {
	clean := strings.Map(func(r rune) rune {
		if r <= ' ' || r == '*' || r == '>' || r == 0x7f {
			return '_'
		}
		return r
	}, eventType)
	var tokens []string
	for token := range strings.SplitSeq(clean, ".") {
		if token != "" {
			tokens = append(tokens, token)
		}
	}
	return eventSubjects + strings.Join(tokens, ".")
}
