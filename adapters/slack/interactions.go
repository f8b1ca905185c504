package slack

import (
	"context"
	"errors"
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
	return Response{}, h.publish(ctx, d, e)
}
