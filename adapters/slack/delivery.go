package slack

import (
	"context"
	"net/url"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"go.uber.org/zap"
)

// A Delivery is one thing that Slack delivers: exactly one of its bodies is set.
type Delivery struct {
	// Event is a body of the Events API, Interaction the payload of an interaction, both JSON. Command is the form of a
	// slash command.
	Event, Interaction []byte
	Command            url.Values
	// At is when Slack sent it, Arrived when it came.
	At, Arrived time.Time
}

// A Response is what Slack is answered that has delivered something: nothing, a word of text, or JSON.
type Response struct {
	Text string
	JSON []byte
}

// A Refusal is why a delivery was not taken.
type Refusal struct {
	// Reason is a short name of it, Text is for people.
	Reason, Text string
	// Again says that the same delivery may be taken later: Slack is to deliver it again.
	Again bool
}

func (r *Refusal) Error() string { return r.Text }

// Take takes a delivery. When it returns nil, the event is stored on the bus, or there is nothing to store. An error is a
// [Refusal]; it has been counted.
func (h *Inbox) Take(ctx context.Context, d Delivery) (Response, error) {
	r, refusal := h.take(ctx, d)
	if refusal == nil {
		return r, nil
	}
	h.observer.Refused(source, refusal.Reason)
	h.log.Debug("delivery refused", zap.String(bridge.LogReason, refusal.Reason))
	return Response{}, refusal
}

func (h *Inbox) take(ctx context.Context, d Delivery) (Response, *Refusal) {
	switch {
	case d.Event != nil:
		return h.takeEvent(ctx, d)
	case d.Command != nil:
		return h.takeCommand(ctx, d)
	default:
		return h.takeInteraction(ctx, d)
	}
}

// ignore counts what is nothing to store.
func (h *Inbox) ignore(reason string) { h.observer.Refused(source, reason) }

// strange says whether a delivery is from none of the workspaces that are configured.
func (h *Inbox) strange(ctx context.Context, d Delivery, ids ...string) (bool, *Refusal) {
	if h.workspaces == nil {
		return false, nil
	}
	ctx, cancel := h.patience(ctx, d)
	defer cancel()
	known, err := h.workspaces.Knows(ctx, ids...)
	if err != nil {
		h.log.Warn("workspace of a delivery not known", zap.Strings("team", ids), zap.Error(err))
		return false, &Refusal{refusedUnsure, "whether the workspace is configured cannot be told now", true}
	}
	if !known {
		h.ignore(refusedWorkspace)
		h.log.Warn("delivery from a workspace that is not configured: add it to slack.workspaces, or uninstall the app there",
			zap.Strings("team", ids))
	}
	return !known, nil
}

// patience bounds what is done before the answer.
func (h *Inbox) patience(ctx context.Context, d Delivery) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, h.within-h.now().Sub(d.Arrived))
}

// publish stores the event within Slack's patience.
func (h *Inbox) publish(ctx context.Context, d Delivery, e bridge.Event) *Refusal {
	ctx, cancel := h.patience(ctx, d)
	defer cancel()
	err := h.publisher.Publish(ctx, e)
	switch {
	case err == nil:
		h.observer.Received(source, e.Type, h.now().Sub(d.Arrived))
		return nil
	case bridge.IsPermanent(err):
		h.log.Warn("event refused by the bus", zap.String(bridge.LogEventID, e.ID), zap.String(bridge.LogEventType, e.Type), zap.Error(err))
		return &Refusal{refusedTooLarge, "the bus does not take the event", false}
	default:
		h.log.Error("event not stored", zap.String(bridge.LogEventID, e.ID), zap.String(bridge.LogEventType, e.Type), zap.Error(err))
		return &Refusal{refusedBusDown, "the event is not stored", true}
	}
}

func malformed(err error) *Refusal { return &Refusal{refusedMalformed, err.Error(), false} }
