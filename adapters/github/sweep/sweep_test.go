package sweep

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	gh "github.com/google/go-github/v60/github"

	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
)

func TestAnHourOfMissedDeliveriesIsRecoveredThoughTheSweeperDiesAgainAndAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	random := rand.New(rand.NewPCG(1, 2))
	before := w.push(0)
	var missed, large []string
	for n := range 300 {
		w.wait(12 * time.Second)
		w.answer.Store(http.StatusServiceUnavailable)
		if n%60 == 7 {
			guid, _ := w.github.Deliver("too_large", []byte(`{}`))
			large = append(large, guid)
		}
		missed = append(missed, w.push(n+1))
	}
	w.answer.Store(0)
	w.swallow.Store(true)
	unanswered := w.push(1000)
	w.swallow.Store(false)
	after := w.push(1001)

	for round := 0; ; round++ {
		if round > 400 {
			t.Fatal("the sweep does not come to its end")
		}
		if random.IntN(2) == 0 {
			w.github.Fail("POST /app/hook/deliveries", githubtest.Fault{Lost: true}, githubtest.Fault{Status: http.StatusBadGateway})
		}
		pending, err := w.sweepUntil(random.IntN(100))
		w.github.WaitForDeliveries()
		w.wait(time.Minute)
		if err == nil && pending == 0 {
			break
		}
	}
	for _, guid := range missed {
		if !w.has(guid) {
			t.Errorf("%s is lost", guid)
		}
		if n := w.attempts(guid); n > 6 {
			t.Errorf("%s was sent %d times", guid, n)
		}
	}
	for _, guid := range append(large, before, after, unanswered) {
		if n := w.attempts(guid); n != 1 {
			t.Errorf("%s was asked for: %d attempts", guid, n)
		}
	}
	if w.counts.gaveUp[Permanent] != len(large) || len(w.counts.gaveUp) != 1 {
		t.Errorf("gave up %v, want %d permanent", w.counts.gaveUp, len(large))
	}
	if w.counts.recovered != len(missed) {
		t.Errorf("recovered %d of %d", w.counts.recovered, len(missed))
	}
	w.wait(2 * time.Hour)
	w.push(1002)
	w.sweep()
	if w.sweep(); strings.Count(string(w.memory.state), "attempt") > 0 {
		t.Errorf("the state keeps what is settled: %s", w.memory.state)
	}
}

// sweepUntil sweeps with a sweeper that dies before its n-th request.
func (w *world) sweepUntil(n int) (int, error) {
	ctx, kill := context.WithCancel(w.t.Context())
	defer kill()
	w.deadline = func() {
		if n--; n < 0 {
			kill()
		}
	}
	defer func() { w.deadline = nil }()
	return w.sweeper().Sweep(ctx)
}

func TestWhatCanBeCuredIsAskedForFiveTimesWithGrowingPauses(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusServiceUnavailable} {
		w := newWorld(t)
		w.answer.Store(int64(status))
		guid := w.push(1)
		var at []time.Duration
		began := w.clock()
		for w.clock().Sub(began) < 48*time.Hour {
			have := w.attempts(guid)
			pending := w.sweep()
			if w.attempts(guid) > have {
				at = append(at, w.clock().Sub(began))
			}
			if pending == 0 {
				break
			}
			if len(at) > 3 {
				w.wait(time.Hour)
			}
		}
		if len(at) != maxTries || w.counts.gaveUp[Attempts] != 1 {
			t.Fatalf("%d: asked at %v, gave up %v", status, at, w.counts.gaveUp)
		}
		for i := 2; i < len(at); i++ {
			if at[i]-at[i-1] <= at[i-1]-at[i-2] {
				t.Errorf("%d: the pauses do not grow: %v", status, at)
			}
		}
	}
}

func TestWhatTheBridgeRefusesForWhatItIsIsLeftAloneAndToldOnce(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity} {
		w := newWorld(t)
		w.answer.Store(int64(status))
		guid := w.push(1)
		for range 5 {
			if pending := w.sweep(); pending != 0 {
				t.Errorf("%d: %d pending", status, pending)
			}
		}
		if w.attempts(guid) != 1 || w.counts.gaveUp[Permanent] != 1 {
			t.Errorf("%d: %d attempts, gave up %v", status, w.attempts(guid), w.counts.gaveUp)
		}
	}
}

func TestARateLimitEndsTheSweepAndNamesTheWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer.Store(http.StatusServiceUnavailable)
	for n := range 3 {
		w.push(n)
	}
	w.answer.Store(0)
	w.github.Fail("POST /app/hook/deliveries", githubtest.Fault{Secondary: true, RetryAfter: 30})
	pending, err := w.sweeper().Sweep(t.Context())
	if wait, ok := bridge.Wait(err); !ok || wait < 30*time.Second || pending != 3 {
		t.Errorf("%d pending, %v", pending, err)
	}
	if n := w.github.Count("POST /app/hook/deliveries"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestWhatSomebodyElseHasAskedForIsNotAskedForAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer.Store(http.StatusServiceUnavailable)
	guid := w.push(1)
	w.answer.Store(0)
	list, _, err := w.app.JWT().Apps.ListHookDeliveries(t.Context(), &gh.ListCursorOptions{})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	_, _, err = w.app.JWT().Apps.RedeliverHookDelivery(t.Context(), list[0].GetID())
	if classify(err) != nil {
		t.Fatal(err)
	}
	w.github.WaitForDeliveries()
	if pending := w.sweep(); pending != 0 || w.attempts(guid) != 2 || w.counts.recovered != 0 {
		t.Errorf("%d pending, %d attempts, %d recovered", pending, w.attempts(guid), w.counts.recovered)
	}
}

func TestASweeperWithAnOldStateAsksForNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer.Store(http.StatusServiceUnavailable)
	w.push(1)
	requests := 0
	w.deadline = func() {
		if requests++; requests == 2 { // between the list and the question
			_ = w.memory.Store(t.Context(), "", append(w.memory.state, ' '), w.memory.revision)
		}
	}
	if _, err := w.sweeper().Sweep(t.Context()); !isStale(err) {
		t.Errorf("got %v", err)
	}
	if n := w.github.Count("POST /app/hook/deliveries"); n != 0 {
		t.Errorf("asked %d times", n)
	}
}

func TestDeliveriesBeyondGitHubsWindowAreGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer.Store(http.StatusServiceUnavailable)
	w.push(1)
	w.sweep()
	w.github.AgeDeliveries(Window + time.Hour)
	w.wait(Window)
	w.push(2)
	w.sweep()
	if w.counts.gaveUp[Expired] != 1 {
		t.Errorf("gave up %v", w.counts.gaveUp)
	}
}

// list is a GitHub without deliveries.
type list struct {
	Deliveries
	reads atomic.Int64
}

func (l *list) ListHookDeliveries(context.Context, *gh.ListCursorOptions) ([]*gh.HookDelivery, *gh.Response, error) {
	l.reads.Add(1)
	return nil, &gh.Response{}, nil
}

func TestTheSweepRunsAtOnceAndThenNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &list{}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			New(Options{Deliveries: l, Register: &memory{}}).Run(ctx)
		}()
		synctest.Wait()
		if l.reads.Load() != 1 {
			t.Errorf("%d sweeps at the start", l.reads.Load())
		}
		time.Sleep(16 * time.Minute)
		synctest.Wait()
		if l.reads.Load() != 4 {
			t.Errorf("%d sweeps after 16 minutes", l.reads.Load())
		}
		stop()
		<-ended
	})
}
