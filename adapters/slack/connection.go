package slack

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/gorilla/websocket"
	"go.uber.org/zap"
)

const (
	// maxAck is the size at which Slack drops an acknowledgement without a word:
	// https://github.com/slack-go/slack/blob/v0.35.0/socketmode/socketmode.go
	maxAck = 20 << 10
	// writeWithin bounds one write.
	writeWithin = 10 * time.Second
)

// A connection is one WebSocket that Slack has greeted.
type connection struct {
	ws    *websocket.Conn
	inbox *Inbox
	log   *zap.Logger
	room  chan struct{} // has room for what is being taken

	// leaving is closed when another connection is wanted.
	leaving  chan struct{}
	left     sync.Once
	handling sync.WaitGroup
	writing  sync.Mutex

	mu      sync.Mutex
	retired bool
}

func newConnection(ws *websocket.Conn, inbox *Inbox, log *zap.Logger) *connection {
	c := &connection{ws: ws, inbox: inbox, log: log, room: make(chan struct{}, atOnce), leaving: make(chan struct{})}
	c.alive()
	ws.SetPingHandler(func(data string) error {
		c.alive()
		_ = ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(writeWithin))
		return nil
	})
	return c
}

// alive puts off the time at which the connection counts as dead.
func (c *connection) alive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.retired {
		_ = c.ws.SetReadDeadline(time.Now().Add(silentFor))
	}
}

// retire ends the reading after a time, in which what is under way comes in; what has been read is still taken and
// acknowledged. A nil connection has nothing to end.
func (c *connection) retire(after time.Duration) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retired = true
	_ = c.ws.SetReadDeadline(time.Now().Add(after))
}

func (c *connection) leave() { c.left.Do(func() { close(c.leaving) }) }

// serve takes what comes until the connection ends, is retired, or ctx ends.
func (c *connection) serve(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { c.retire(0) })
	defer stop()
	for {
		_, raw, err := c.ws.ReadMessage()
		if err != nil {
			break
		}
		c.alive()
		c.read(context.WithoutCancel(ctx), raw, c.inbox.now())
	}
	c.leave()
	c.handling.Wait()
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
	_ = c.ws.Close()
}

// read takes one message.
func (c *connection) read(ctx context.Context, raw []byte, arrived time.Time) {
	e, err := openEnvelope(raw)
	switch {
	case err != nil:
		c.inbox.ignore(refusedMalformed)
		c.log.Warn("message of Slack not understood", zap.Error(err))
	case e.Type == "disconnect":
		c.log.Debug("slack wants another connection", zap.String(bridge.LogReason, e.Reason))
		c.leave()
	case e.ID == "":
	default:
		c.room <- struct{}{}
		c.handling.Go(func() {
			defer func() { <-c.room }()
			c.take(ctx, e, arrived)
		})
	}
}

// take hands an envelope to the inbox, and acknowledges it unless it is to come again.
func (c *connection) take(ctx context.Context, e socketEnvelope, arrived time.Time) {
	d, ok, err := e.delivery()
	d.At, d.Arrived = arrived, arrived
	var response Response
	switch {
	case err != nil:
		c.inbox.ignore(refusedMalformed)
	case !ok:
		c.inbox.ignore(refusedUnsupported)
	default:
		var refusal *Refusal
		if response, err = c.inbox.Take(ctx, d); errors.As(err, &refusal) && refusal.Again {
			return
		}
	}
	ack, err := json.Marshal(socketAck{e.ID, response.JSON})
	if err != nil || len(ack) >= maxAck {
		ack, _ = json.Marshal(socketAck{ID: e.ID}) // is a text alone
		defer c.inbox.postAnswer(d.Command.Get("response_url"), response.JSON)
	}
	if err := c.write(ack); err != nil {
		c.log.Warn("delivery not acknowledged: Slack may deliver it again", zap.Error(err))
	}
}

func (c *connection) write(message []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.ws.SetWriteDeadline(time.Now().Add(writeWithin))
	return c.ws.WriteMessage(websocket.TextMessage, message)
}
