package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	gh "github.com/google/go-github/v60/github"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// Window is how long GitHub keeps deliveries and sends them again; EnterpriseWindow is that of GitHub Enterprise Server.
// https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks
const (
	Window           = 3 * 24 * time.Hour
	EnterpriseWindow = 7 * 24 * time.Hour
)

// Reasons why a delivery is not asked for any more.
const (
	Permanent = "permanent" // the bridge has refused it for what it is: 400, 413, 415 or 422
	Attempts  = "attempts"  // it failed after maxTries attempts that were asked for
	Expired   = "expired"   // GitHub does not keep it any longer
	Refused   = "refused"   // GitHub does not send it again
	known     = "known"     // the event is in the ledger or on the bus, though the answer was lost
)

const (
	// maxTries bounds the attempts per delivery that are asked for, and maxAsked how often they are asked for when GitHub
	// makes none.
	maxTries = 5
	maxAsked = 15
	// maxOpen bounds what is asked for at a time, and maxFailed all that the state holds: some 600 KB of JSON.
	maxOpen   = 1000
	maxFailed = 3000
	// margin is how far behind the newest delivery the next sweep reads again: an attempt that began earlier may have
	// ended, and be listed, later. GitHub waits for 10 s, an Enterprise Server for 30 s.
	margin = 10 * time.Minute
	// lostAfter is how long an attempt that was asked for may take until it counts as never made.
	lostAfter = 10 * time.Minute
	// maxInARow ends a sweep when GitHub fails that often one after the other.
	maxInARow = 3
)

// pauses are the times between the attempts of one delivery that are asked for: what is to be cured, such as a secret
// that is not the App's, may take somebody half a day.
var pauses = []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 12 * time.Hour}

// Deliveries are GitHub's list, as the App itself may use it: go-github's AppsService.
type Deliveries interface {
	ListHookDeliveries(ctx context.Context, o *gh.ListCursorOptions) ([]*gh.HookDelivery, *gh.Response, error)
	GetHookDelivery(ctx context.Context, id int64) (*gh.HookDelivery, *gh.Response, error)
	RedeliverHookDelivery(ctx context.Context, id int64) (*gh.HookDelivery, *gh.Response, error)
}

// An Observer counts what becomes of failed deliveries. Safe for concurrent use.
type Observer interface {
	// Recovered counts deliveries that arrived after they were asked for.
	Recovered(n int)
	// GaveUp counts a delivery that is not asked for any more: Permanent, Attempts, Expired or Refused.
	GaveUp(reason string)
}

// Options are what a Sweeper needs.
type Options struct {
	// Deliveries are those of the App: app.JWT().Apps.
	Deliveries Deliveries
	Register   bridge.Register
	// Known says whether an event is in the ledger or on the bus.
	Known func(ctx context.Context, e bridge.Event) (bool, error)
	// Window is how long GitHub keeps deliveries; [Window] if 0.
	Window time.Duration
	// Every is the time between two sweeps, five minutes if 0; Soon that while something is asked for, a minute if 0.
	Every, Soon time.Duration
	// Now, Log and Observer may be nil.
	Now      func() time.Time
	Log      *zap.Logger
	Observer Observer
}

// A Sweeper asks for what did not arrive, see the package's documentation.
type Sweeper struct {
	deliveries  Deliveries
	register    bridge.Register
	known       func(ctx context.Context, e bridge.Event) (bool, error)
	window      time.Duration
	every, soon time.Duration
	now         func() time.Time
	log         *zap.Logger
	observer    Observer
}

// New makes a Sweeper.
func New(o Options) *Sweeper {
	s := &Sweeper{
		deliveries: o.Deliveries, register: o.Register, known: o.Known, now: o.Now, log: o.Log, observer: o.Observer,
		window: cmp.Or(o.Window, Window), every: cmp.Or(o.Every, 5*time.Minute), soon: cmp.Or(o.Soon, time.Minute),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	if s.observer == nil {
		s.observer = nobody{}
	}
	return s
}

type nobody struct{}

func (nobody) Recovered(int) {}
func (nobody) GaveUp(string) {}

// Run sweeps at once, and again and again until ctx ends. It is for the leader.
func (s *Sweeper) Run(ctx context.Context) {
	for {
		pending, err := s.Sweep(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := s.every
		if pending > 0 {
			wait = min(s.every, s.soon)
		}
		if err != nil {
			s.log.Warn("the sweep over missed deliveries was cut short", zap.Error(err))
			wait = min(s.every, s.soon)
			if named, ok := bridge.Wait(err); ok {
				wait = max(wait, named)
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// Sweep looks once at what did not arrive and asks for what may be asked for now. It returns how many deliveries are still
// to arrive. An error leaves the rest to the next sweep; see [bridge.Wait].
func (s *Sweeper) Sweep(ctx context.Context) (pending int, err error) {
	st, err := s.load(ctx)
	if err != nil {
		return 0, err
	}
	now := s.now()
	until := now.Add(-s.window)
	if from := st.Read.Add(-margin); from.After(until) {
		until = from
	}
	r, readErr := s.read(ctx, until)
	if ctx.Err() != nil {
		return len(st.oldest()), ctx.Err()
	}
	recovered := s.recover(st, st.merge(r))
	gone := s.settle(st, now)
	if err := s.store(ctx, st); err != nil {
		return len(st.oldest()), err
	}
	s.tell(recovered, gone)
	if readErr != nil {
		if _, limited := bridge.Wait(readErr); limited {
			return len(st.oldest()), readErr
		}
	}
	err = s.ask(ctx, st)
	return len(st.oldest()), errors.Join(readErr, err)
}

// recover drops what has arrived from the state, and counts what was asked for.
func (*Sweeper) recover(st *state, arrived []string) (n int) {
	for _, guid := range arrived {
		f := st.Failed[guid]
		delete(st.Failed, guid)
		if f.Asked > 0 {
			n++
		}
	}
	return n
}

// settle gives up what is not to be asked for any more, and forgets what the next sweep does not read again.
func (s *Sweeper) settle(st *state, now time.Time) (gone map[string]*failure) {
	gone = map[string]*failure{}
	for guid, f := range st.Failed {
		if f.Settled == "" {
			if f.Settled = f.verdict(now, s.window); f.Settled != "" {
				gone[guid] = f
			}
		}
		if f.Settled != "" && (f.At.Before(st.Read.Add(-margin)) || f.At.Before(now.Add(-s.window))) {
			delete(st.Failed, guid)
		}
	}
	return gone
}

// verdict says why a delivery is not asked for any more.
func (f *failure) verdict(now time.Time, window time.Duration) string {
	switch {
	case f.permanent():
		return Permanent
	case f.Tried >= maxTries, f.Asked >= maxAsked && !now.Before(f.Next):
		return Attempts
	case f.At.Before(now.Add(-window)):
		return Expired
	}
	return ""
}

// permanent says that the bridge has refused the delivery for what it is. 401, 403 and 404 come of a secret or an ingress
// that somebody may set right.
func (f *failure) permanent() bool {
	switch f.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

func (s *Sweeper) tell(recovered int, gone map[string]*failure) {
	if recovered > 0 {
		s.observer.Recovered(recovered)
		s.log.Info("missed deliveries have arrived", zap.Int("deliveries", recovered))
	}
	for guid, f := range gone {
		s.gaveUp(guid, f)
	}
}

func (s *Sweeper) gaveUp(guid string, f *failure) {
	s.observer.GaveUp(f.Settled)
	s.log.Warn("a delivery did not arrive and is not asked for again", zap.String(bridge.LogEventID, guid), zap.String(bridge.LogEventType, f.Event),
		zap.String(bridge.LogReason, f.Settled), zap.String(bridge.LogDetail, fmt.Sprintf("the last attempt had the status %d", f.Status)), zap.Int(bridge.LogAttempt, f.Asked))
}

// classify is [github.Classify] for the call that asks for a delivery, which GitHub answers with 202.
func classify(err error) error {
	var accepted *gh.AcceptedError
	if errors.As(err, &accepted) {
		return nil
	}
	return github.Classify(err)
}
