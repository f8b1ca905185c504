package checks

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// How fast one installation writes. GitHub takes about 80 requests a minute that create content, and asks for a second
// between them:
// https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#pause-between-mutative-requests
const (
	writesPerSecond = 1
	writesAtOnce    = 20
)

// A throttle spaces the writes of each installation.
type throttle struct {
	mu       *sync.Mutex
	limiters map[int64]*rate.Limiter
}

func newThrottle() throttle { return throttle{new(sync.Mutex), map[int64]*rate.Limiter{}} }

// take lets one write pass, or says with [bridge.RetryAfter] when it may.
func (t throttle) take(installation int64, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	limiter := t.limiters[installation]
	if limiter == nil {
		limiter = rate.NewLimiter(writesPerSecond, writesAtOnce)
		t.limiters[installation] = limiter
	}
	r := limiter.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	r.CancelAt(now)
	return bridge.RetryAfter(errors.New("the bridge spaces what it writes to GitHub"), wait)
}
