package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	gh "github.com/google/go-github/v60/github"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// ask asks for all that may be asked for now, the oldest first. It ends early when GitHub limits or refuses the App, when
// another sweeper is at work, or after several failures in a row.
func (s *Sweeper) ask(ctx context.Context, st *state) error {
	asked, inARow := 0, 0
	defer func() {
		if asked > 0 {
			s.log.Info("asked GitHub for missed deliveries", zap.Int("deliveries", asked))
		}
	}()
	var last error
	for _, guid := range st.oldest() {
		f := st.Failed[guid]
		if s.now().Before(f.Next) {
			continue
		}
		err := s.askFor(ctx, st, guid, f)
		_, limited := bridge.Wait(err)
		switch {
		case err == nil:
			asked, inARow = asked+1, 0
			continue
		case ctx.Err() != nil, isStale(err), limited, bridge.IsPermanent(err):
			return err
		}
		if last, inARow = err, inARow+1; inARow == maxInARow {
			return err
		}
	}
	return last
}

// askFor asks for one delivery unless the bridge knows its event. That it asks is stored before.
func (s *Sweeper) askFor(ctx context.Context, st *state, guid string, f *failure) error {
	has, err := s.has(ctx, guid, f)
	if err != nil {
		return s.refused(ctx, st, guid, f, err)
	}
	if has {
		f.Settled = known
		return s.store(ctx, st)
	}
	before := *f
	f.Asked, f.Since, f.Next = f.Asked+1, f.Attempt, s.now().Add(lostAfter)
	if err := s.store(ctx, st); err != nil {
		*f = before
		return err
	}
	_, _, err = s.deliveries.RedeliverHookDelivery(ctx, f.Attempt)
	if err = classify(err); err != nil {
		return s.refused(ctx, st, guid, f, fmt.Errorf("ask for the delivery %s: %w", guid, err))
	}
	return nil
}

// refused settles a delivery that GitHub does not have any more or does not send again. Refusals of the App itself, and
// all that may pass, are returned.
func (s *Sweeper) refused(ctx context.Context, st *state, guid string, f *failure, err error) error {
	var answer *gh.ErrorResponse
	if !bridge.IsPermanent(err) || !errors.As(err, &answer) || answer.Response == nil {
		return err
	}
	switch answer.Response.StatusCode {
	case http.StatusNotFound, http.StatusGone:
		f.Settled = Expired
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		f.Settled = Refused
	default:
		return err
	}
	if err := s.store(ctx, st); err != nil {
		f.Settled = ""
		return err
	}
	s.gaveUp(guid, f)
	return nil
}

// has reads the delivery, makes it an event as the webhook would have, and says whether the bridge has that. What is no
// event is not known.
func (s *Sweeper) has(ctx context.Context, guid string, f *failure) (bool, error) {
	d, _, err := s.deliveries.GetHookDelivery(ctx, f.Attempt)
	if err != nil {
		return false, fmt.Errorf("read the delivery %s: %w", guid, github.Classify(err))
	}
	if d.Request == nil || d.Request.RawPayload == nil {
		return false, nil
	}
	e, err := github.Translate(cmp.Or(d.GetEvent(), f.Event), guid, *d.Request.RawPayload)
	if err != nil {
		return false, nil //nolint:nilerr // what cannot be read is asked for
	}
	has, err := s.known(ctx, e)
	if err != nil {
		return false, fmt.Errorf("look for the event of the delivery %s: %w", guid, err)
	}
	return has, nil
}
