package slack

import (
	"errors"
	"net/http"
)

// Interactions is the handler of buttons, shortcuts and submitted views.
func (h *Webhooks) Interactions() http.Handler { return h.taking(h.takeInteraction) }

func (h *Webhooks) takeInteraction(w http.ResponseWriter, r *http.Request, req request) {
	e, err := TranslateInteraction(req.body, req.at)
	switch {
	case errors.Is(err, errUnsupported):
		// Any other answer would be shown to the user as a failure.
		h.observer.Refused(source, refusedUnsupported)
		answer(w, http.StatusOK, "")
	case err != nil:
		h.malformed(w, err)
	case h.publish(w, r, req, e):
		answer(w, http.StatusOK, "")
	}
}
