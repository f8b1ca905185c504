package slacktest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gorilla/websocket"
)

// send puts a parcel into an envelope for one of the connections, and waits for its acknowledgement. The next attempt goes
// to another connection, if there is one.
func (k *sockets) send(p parcel, waits time.Duration) Sent {
	c, id := k.pick()
	if c == nil {
		return Sent{Reason: "connection_failed"}
	}
	ack := make(chan json.RawMessage, 1)
	c.mu.Lock()
	c.acks[id] = ack
	c.mu.Unlock()
	envelope := object{"envelope_id": id, "type": p.kind, "payload": p.payload, "accepts_response_payload": p.kind != kindEvent}
	if p.kind == kindEvent {
		envelope["retry_attempt"], envelope["retry_reason"] = p.attempt, p.reason
	}
	c.write(envelope)
	end := time.NewTimer(waits)
	defer end.Stop()
	select {
	case body := <-ack:
		return Sent{Status: 200, Body: body}
	case <-c.gone:
		return Sent{Reason: "connection_failed"}
	case <-end.C:
		return Sent{Reason: "http_timeout"}
	}
}

// pick takes the connections in turn, first those that were not told to go.
func (k *sockets) pick() (*conn, string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.serial++
	id := fmt.Sprintf("envelope-%d", k.serial)
	var staying []*conn
	for _, c := range k.open {
		c.mu.Lock()
		if !c.leaving {
			staying = append(staying, c)
		}
		c.mu.Unlock()
	}
	if len(staying) == 0 {
		staying = k.open
	}
	if len(staying) == 0 {
		return nil, id
	}
	k.turn++
	return staying[k.turn%len(staying)], id
}

func (c *conn) write(v object) {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.ws.SetWriteDeadline(time.Now().Add(patience))
	_ = c.ws.WriteJSON(v)
}

// read takes acknowledgements until the connection ends.
func (c *conn) read() {
	for {
		_, raw, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		var a struct {
			EnvelopeID string          `json:"envelope_id"`
			Payload    json.RawMessage `json:"payload"`
		}
		if len(raw) >= maxResponse || json.Unmarshal(raw, &a) != nil {
			continue // Slack says nothing of it
		}
		c.mu.Lock()
		ack := c.acks[a.EnvelopeID]
		delete(c.acks, a.EnvelopeID)
		c.mu.Unlock()
		if ack != nil {
			ack <- a.Payload
		}
	}
}

func (c *conn) ping() {
	every := time.NewTicker(pingEvery)
	defer every.Stop()
	for {
		select {
		case <-c.gone:
			return
		case <-every.C:
			_ = c.ws.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(patience))
		}
	}
}
