package dispatch

import (
	"sync"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// failPause is how long the events of a template go to the waiting room untried after a failure that may
// pass: an API server that does not answer would hold each for seconds, and the events of others with them.
const failPause = 2 * time.Second

// failing are the templates whose last submission has failed. The zero value is ready to use.
type failing struct {
	mu    sync.Mutex
	until map[bridge.Template]time.Time
}

func (f *failing) set(t bridge.Template, now time.Time, fails bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !fails {
		delete(f.until, t)
		return
	}
	if f.until == nil {
		f.until = map[bridge.Template]time.Time{}
	}
	f.until[t] = now.Add(failPause)
}

func (f *failing) is(t bridge.Template, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return now.Before(f.until[t])
}
