package chaos

import (
	"math/rand/v2"
	"net/http"
)

// apiFault lets the API server misbehave.
type apiFault struct{ mode apiMode }

// The ways in which it does.
func newAPIPause(*rand.Rand) fault {
	return apiFault{apiMode{name: "pause the API server", pause: true}}
}

func newAPIError(*rand.Rand) fault {
	return apiFault{apiMode{name: "API server answers 500 to half", refuse: 50, status: http.StatusInternalServerError}}
}

func newAPIBusy(r *rand.Rand) fault {
	if r.IntN(2) == 0 {
		return apiFault{apiMode{name: "API server answers 429 to most", refuse: 80, status: http.StatusTooManyRequests}}
	}
	return apiFault{apiMode{name: "API server answers 503 to all", refuse: 100, status: http.StatusServiceUnavailable}}
}

func newAPICut(*rand.Rand) fault {
	return apiFault{apiMode{name: "cut the bridges from the API server", cut: true}}
}

func newAPILost(*rand.Rand) fault {
	return apiFault{apiMode{name: "lose the API server's answers to creations", lose: true}}
}

func (f apiFault) String() string  { return f.mode.name }
func (f apiFault) strike(w *world) { w.api.set(f.mode) }
func (f apiFault) heal(w *world)   { w.api.set(apiMode{}) }

// apiStop ends the API server itself.
type apiStop struct{}

func newAPIStop(*rand.Rand) fault { return apiStop{} }

func (apiStop) String() string  { return "stop the API server" }
func (apiStop) strike(w *world) { w.component("stop") }
func (apiStop) heal(w *world)   { w.component("start") }

func (w *world) component(do string) {
	if out, err := w.cluster.run(do, "apiserver"); err != nil {
		say("%s apiserver: %v: %s", do, err, out)
	}
}
