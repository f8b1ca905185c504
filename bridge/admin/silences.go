package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func (s *Server) listSilences(w http.ResponseWriter, r *http.Request, _ string) {
	all, err := s.silences.List(r.Context())
	if err != nil {
		writeFault(w, faultOf(err))
		return
	}
	writeJSON(w, http.StatusOK, append([]bridge.Silence{}, all...))
}

func (s *Server) addSilence(w http.ResponseWriter, r *http.Request, user string) {
	silence, fault := readSilence(w, r)
	if fault != nil {
		writeFault(w, fault)
		return
	}
	if silence.ID == "" {
		silence.ID = NewReplayID()
	}
	silence.By, silence.Created = user, s.now().UTC()
	if err := s.silences.Add(r.Context(), silence); err != nil {
		writeFault(w, faultOf(err))
		return
	}
	s.log.Info("silenced", zap.String(bridge.LogUser, user), zap.String("silence", silence.ID), zap.String(bridge.LogTemplate, silence.Template),
		zap.String(bridge.LogDestination, silence.Destination), zap.Time("until", silence.Until))
	writeJSON(w, http.StatusOK, silence)
}

func (s *Server) removeSilence(w http.ResponseWriter, r *http.Request, user string) {
	id := r.PathValue("id")
	if err := s.silences.Remove(r.Context(), id); err != nil {
		writeFault(w, faultOf(err))
		return
	}
	s.log.Info("silence ended", zap.String(bridge.LogUser, user), zap.String("silence", id[:min(len(id), maxLogged)]))
	writeJSON(w, http.StatusOK, struct{}{})
}

// readSilence reads a request's body: one JSON object, without fields that do not exist.
func readSilence(w http.ResponseWriter, r *http.Request) (silence bridge.Silence, fault *Fault) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return silence, malformed(err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&silence); err != nil {
		return silence, malformed(errors.New("body: not a silence as JSON"))
	}
	return silence, nil
}
