package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
)

// A socketEnvelope is one message of Socket Mode: https://docs.slack.dev/apis/events-api/using-socket-mode#events
type socketEnvelope struct {
	Type    string          `json:"type"`
	ID      string          `json:"envelope_id"`
	Payload json.RawMessage `json:"payload"`
	Reason  string          `json:"reason"` // of disconnect
}

// A socketAck acknowledges an envelope, with the answer to it if there is one.
type socketAck struct {
	ID      string          `json:"envelope_id"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func openEnvelope(raw []byte) (e socketEnvelope, err error) {
	if err := json.Unmarshal(raw, &e); err != nil || e.Type == "" {
		return socketEnvelope{}, errors.New("it is no envelope of Socket Mode")
	}
	return e, nil
}

// delivery is what the envelope holds; ok is false for what is of no known type.
func (e socketEnvelope) delivery() (d Delivery, ok bool, err error) {
	switch e.Type {
	case "events_api":
		return Delivery{Event: e.Payload}, len(e.Payload) > 0, nil
	case "interactive":
		return Delivery{Interaction: e.Payload}, len(e.Payload) > 0, nil
	case "slash_commands":
		form, err := webhookForm(e.Payload)
		return Delivery{Command: form}, err == nil, err
	}
	return Delivery{}, false, nil
}

// webhookForm makes of a JSON object the form that a webhook would get.
func webhookForm(payload []byte) (url.Values, error) {
	d, err := decode(payload)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	form := url.Values{}
	for name, value := range d {
		switch value.(type) {
		case string, json.Number, bool:
			form.Set(name, fmt.Sprint(value))
		}
	}
	return form, nil
}
