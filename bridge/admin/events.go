package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func (s *Server) list(w http.ResponseWriter, r *http.Request, _ string) {
	q, err := ParseQuery(r.URL.RawQuery, s.now())
	if err != nil {
		writeFault(w, malformed(err))
		return
	}
	s.stream(w, r, func(ctx context.Context, out *stream) error {
		var gone error
		err := s.history.Records(ctx, q, func(record bridge.Record) bool {
			gone = out.line(Line{Record: &record})
			return gone == nil
		})
		if gone != nil {
			return gone
		}
		return err
	})
}

func (s *Server) tail(w http.ResponseWriter, r *http.Request, _ string) {
	q, err := ParseQuery(r.URL.RawQuery, s.now())
	if err != nil {
		writeFault(w, malformed(err))
		return
	}
	s.stream(w, r, func(ctx context.Context, out *stream) error {
		// The client wants to know that it is let in before the first event comes.
		if err := out.heartbeat(); err != nil {
			return err
		}
		return s.history.Follow(ctx, q, func(record bridge.Record) { _ = out.line(Line{Record: &record}) })
	})
}

func (s *Server) show(w http.ResponseWriter, r *http.Request, _ string) {
	ctx, cancel := context.WithTimeout(r.Context(), storyTimeout)
	defer cancel()
	story, err := s.history.Story(ctx, r.PathValue("id"))
	if err != nil {
		writeFault(w, faultOf(err))
		return
	}
	writeJSON(w, http.StatusOK, story)
}

// stream runs do with heartbeats beside it. When the client is gone, do's context ends: a heartbeat
// finds out at the latest.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, out *stream) error) {
	ctx, cancel := context.WithCancel(r.Context())
	out := newStream(w, lineTimeout)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		s.beat(ctx, out, cancel)
	}()
	err := do(ctx, out)
	if s.closing.Err() != nil {
		err = &Fault{Reason: ReasonUnavailable, Text: "the bridge is stopping", Hint: "ask again"}
	}
	cancel()
	<-beating
	out.finish(err)
}

func (s *Server) beat(ctx context.Context, out *stream, gone context.CancelFunc) {
	tick := time.NewTicker(s.heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if out.heartbeat() != nil {
				gone()
				return
			}
		}
	}
}

func malformed(err error) *Fault { return &Fault{Reason: ReasonMalformed, Text: err.Error()} }
