package admin

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// maxBody bounds a request's body: a bridge.Replay is a few hundred bytes.
const maxBody = 64 << 10

// NewReplayID makes the ID of a replay that the client gave none.
func NewReplayID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

func (s *Server) replay(w http.ResponseWriter, r *http.Request, user string) {
	request, fault := readReplay(w, r)
	if fault != nil {
		writeFault(w, fault)
		return
	}
	if request.ID == "" {
		request.ID = NewReplayID()
	}
	log := s.log.With(zap.String(bridge.LogUser, user), zap.String("replay", request.ID), zap.Bool("dry_run", request.DryRun))
	// The line stands in the log before anything is started, so that it is there whatever happens.
	log.Info("replay", zap.String(bridge.LogEventID, request.Event), zap.String(bridge.LogTemplate, request.Template),
		zap.String(bridge.LogRule, request.Rule), zap.Any("query", request.Query))
	started, decided := 0, 0
	s.stream(w, r, func(ctx context.Context, out *stream) error {
		// A client that hangs up stops the replay of many events: ctx ends with it.
		err := s.replayer.Replay(ctx, request, func(decision bridge.Replayed) {
			if decided++; !request.DryRun && (decision.Verdict == bridge.Matched || decision.Verdict == bridge.Waiting) {
				started++
			}
			_ = out.line(Line{Replayed: &decision})
		})
		log.Info("replay ended", zap.Int("decisions", decided), zap.Int("started", started), zap.Error(err))
		return err
	})
}

func readReplay(w http.ResponseWriter, r *http.Request) (bridge.Replay, *Fault) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return bridge.Replay{}, malformed(errors.New("the body must be of the content type application/json"))
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return bridge.Replay{}, &Fault{Reason: ReasonTooLarge, Text: "the body is larger than 64 KiB"}
	case err != nil:
		return bridge.Replay{}, malformed(err)
	}
	request, err := parseReplay(body)
	if err != nil {
		return request, malformed(err)
	}
	return request, nil
}
