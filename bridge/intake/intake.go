// Package intake reads the bodies of webhooks, and bounds the memory that they take. A body of up to a megabyte, as
// nearly all are, is never held up; a larger one waits for a share of one budget before it is read. Of
// requests under way there are at most [Requests]; more come when the bus is slow, and are told 503.
//
// # What unsigned senders can do
//
// A signature is known to be wrong only when the whole body has been read, so that a share goes to
// anybody. Therefore a body that holds one has to keep coming: it has [stall] for each megabyte and
// [longest] for all. Who sends megabytes of rubbish without a pause can still make large deliveries
// wait, until they are told 503; small ones are not touched.
package intake

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// Budget is the default for all large bodies of the process, in bytes: two of GitHub's largest.
	Budget = 64 << 20

	// Requests is how many bodies there may be at once, of any size.
	Requests = 1024

	// free is what a body may have without a share.
	free = 1 << 20
	// unknown is the share of a body that does not say how long it is: GitHub's largest.
	unknown = 25 << 20
	// patience is how long a body waits for its share. GitHub hangs up after 10 s.
	patience = 8 * time.Second
	// again is when a sender that was not served may come back.
	again = 10 * time.Second
	// longest is the time in which a body has to be there once it has its share: GitHub's own.
	longest = 10 * time.Second
	// stall is the time for each megabyte.
	stall = 2 * time.Second
)

var (
	errBusy    = errors.New("too many large bodies at once")
	errCrowded = errors.New("too many requests at once")
)

// A Limiter holds the budget.
type Limiter struct {
	budget  *semaphore.Weighted
	places  *semaphore.Weighted
	size    int64
	wait    time.Duration
	stall   time.Duration
	longest time.Duration
}

// NewLimiter returns a limiter of so many bytes.
func NewLimiter(budget int64) *Limiter {
	return &Limiter{budget: semaphore.NewWeighted(budget), places: semaphore.NewWeighted(Requests), size: budget, wait: patience, stall: stall, longest: longest}
}

// Wrap bounds the bodies that next reads. When there is no share for a body in time, reading it
// fails with an error that [bridge.Wait] knows; next then answers 503. The wait begins with the first
// read: whatever next refuses by the headers alone costs nothing. A share is held until next returns.
func (l *Limiter) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := &body{ReadCloser: r.Body, limiter: l, ctx: r.Context(), size: r.ContentLength, control: http.NewResponseController(w)}
		defer b.release()
		bounded := *r
		bounded.Body = b
		next.ServeHTTP(w, &bounded)
	})
}

// A body takes its share when it turns out to be large.
type body struct {
	io.ReadCloser
	limiter *Limiter
	ctx     context.Context // the request's
	control *http.ResponseController
	size    int64 // as the sender says; -1: he does not

	read  int64
	place bool
	share int64
	due   int64     // when read is so much, there is time for more
	end   time.Time // of all time
}

func (b *body) Read(p []byte) (int, error) {
	if !b.place {
		if b.place = b.limiter.places.TryAcquire(1); !b.place {
			return 0, bridge.RetryAfter(errCrowded, again)
		}
	}
	if b.share == 0 {
		if b.size > free || b.read >= free {
			if err := b.acquire(); err != nil {
				return 0, err
			}
		} else {
			p = p[:min(int64(len(p)), free-b.read)]
		}
	}
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	switch {
	case b.share == 0:
	case err != nil:
		// The body is there or lost: what follows on the connection has no deadline of ours. One that
		// expired while the server waits for the next request would end this one's context.
		_ = b.control.SetReadDeadline(time.Time{})
	case b.read >= b.due:
		b.extend()
	}
	return n, err
}

func (b *body) acquire() error {
	share := min(b.size, b.limiter.size)
	if b.size < 0 {
		share = min(unknown, b.limiter.size)
	}
	ctx, cancel := context.WithTimeout(b.ctx, b.limiter.wait)
	defer cancel()
	if b.limiter.budget.Acquire(ctx, share) != nil {
		return bridge.RetryAfter(errBusy, again)
	}
	b.share, b.end = share, time.Now().Add(b.limiter.longest)
	b.extend()
	return nil
}

func (b *body) extend() {
	b.due = b.read + free
	deadline := time.Now().Add(b.limiter.stall)
	if deadline.After(b.end) {
		deadline = b.end
	}
	// Where it is not supported, the server's own timeout holds.
	_ = b.control.SetReadDeadline(deadline)
}

func (b *body) release() {
	if b.place {
		b.limiter.places.Release(1)
	}
	if b.share > 0 {
		b.limiter.budget.Release(b.share)
	}
}
