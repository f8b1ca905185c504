package slack

import (
	"cmp"
	"context"
	"errors"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func (h *Inbox) takeInteraction(ctx context.Context, d Delivery) (Response, *Refusal) {
	e, err := translatePayload(d.Interaction, d.At)
	switch {
	case errors.Is(err, errUnsupported):
		// Any other answer would be shown to the user as a failure.
		h.ignore(refusedUnsupported)
		return Response{}, nil
	case err != nil:
		return Response{}, malformed(err)
	}
	payload, err := decode(d.Interaction)
	if err != nil {
		return Response{}, malformed(err)
	}
	strange, refusal := h.strange(ctx, d, payload.text("team.id"), payload.text("enterprise.id"))
	if strange || refusal != nil {
		return Response{}, refusal
	}
	h.note(ctx, d, e)
	if refusal := h.publish(ctx, d, e); refusal != nil {
		return Response{}, refusal
	}
	h.filled(e, payload)
	return Response{}, nil
}

// filled answers who has filled in the bridge's form with what came of it; the form itself has closed by then.
func (h *Inbox) filled(e bridge.Event, payload document) {
	form, ours := formOf(payload)
	if !ours || h.answers == nil || e.Type != typeView {
		return
	}
	command := cmp.Or(form.Command, DefaultCommand) + " run"
	h.background(func() { h.follow(e, form.ResponseURL, h.await(e, command)) })
}
