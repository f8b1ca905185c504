package admin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Time limits. The client gives up after some heartbeats that did not come.
const (
	heartbeat    = 15 * time.Second
	lineTimeout  = 30 * time.Second // for a client that does not read
	storyTimeout = 20 * time.Second
)

// A Server answers the API's requests. It is made by New.
type Server struct {
	history  History
	replayer Replayer
	silences bridge.Silences
	auth     Authenticator
	log      *zap.Logger
	now      func() time.Time

	heartbeat time.Duration
	mux       *http.ServeMux
	closing   context.Context
	close     context.CancelFunc
}

// New makes the server. Without auth it refuses everything and says what to configure.
func New(h History, r Replayer, silences bridge.Silences, auth Authenticator, log *zap.Logger) *Server {
	s := &Server{history: h, replayer: r, silences: silences, auth: auth, log: log, now: time.Now, heartbeat: heartbeat, mux: http.NewServeMux()}
	s.closing, s.close = context.WithCancel(context.Background())
	s.mux.Handle("GET /api/v1/events", s.allow(Read, s.list))
	s.mux.Handle("GET /api/v1/events:tail", s.allow(Read, s.tail))
	s.mux.Handle("GET /api/v1/events/{id}", s.allow(Read, s.show))
	s.mux.Handle("POST /api/v1/replays", s.allow(Replay, s.replay))
	s.mux.Handle("GET /api/v1/silences", s.allow(Read, s.listSilences))
	s.mux.Handle("POST /api/v1/silences", s.allow(Silence, s.addSilence))
	s.mux.Handle("DELETE /api/v1/silences/{id}", s.allow(Silence, s.removeSilence))
	s.mux.Handle("/", s.allow(Read, s.noRoute))
	return s
}

// ServeHTTP answers one request; see the package's documentation for the routes.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close ends all streams, so that the HTTP server need not wait for clients that follow. Call it when
// the HTTP server begins to stop (http.Server.RegisterOnShutdown).
func (s *Server) Close() { s.close() }

// An action answers a request of a user who may make it.
type action func(w http.ResponseWriter, r *http.Request, user string)

// allow lets in whom the Authenticator lets in.
func (s *Server) allow(access Access, do action) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := s.authorize(r, access)
		if err != nil {
			s.refuse(w, r, user, err)
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(s.closing, cancel)()
		do(w, r.WithContext(ctx), user)
	})
}

func (s *Server) authorize(r *http.Request, access Access) (user string, err error) {
	if s.auth == nil {
		return "", &Fault{
			Reason: ReasonOff, Text: "nobody may use this API: the bridge's configuration names nobody",
			Hint: "set admin.kubernetes: true or admin.tokenFile in it",
		}
	}
	token, ok := bearerToken(r.Header)
	if !ok {
		return "", &Fault{Reason: ReasonUnauthenticated, Text: "the request has no token", Hint: "send Authorization: Bearer TOKEN"}
	}
	return s.auth.Authorize(r.Context(), token, access)
}

func bearerToken(h http.Header) (string, bool) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

// maxLogged bounds what of a stranger's request is logged.
const maxLogged = 200

// refuse answers and logs who was not let in.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, user string, err error) {
	f := faultOf(err)
	var own *Fault
	if !errors.As(err, &own) {
		// What went wrong in asking is the bridge's own affair.
		f = &Fault{Reason: ReasonUnavailable, Text: "the bridge cannot tell now who you are", Hint: "ask again", Why: err}
	}
	asked := r.Method + " " + r.URL.Path
	s.log.Warn("request refused", zap.String(bridge.LogReason, f.Reason), zap.String(bridge.LogUser, user),
		zap.String("request", asked[:min(len(asked), maxLogged)]), zap.String("from", r.RemoteAddr),
		zap.String(bridge.LogDetail, f.Text), zap.Error(f.Why))
	writeFault(w, f)
}

func (s *Server) noRoute(w http.ResponseWriter, r *http.Request, _ string) {
	writeFault(w, &Fault{
		Reason: ReasonNoRoute, Text: "there is no " + r.Method + " " + r.URL.Path,
		Hint: "GET /api/v1/events, /api/v1/events/ID, /api/v1/events:tail; POST /api/v1/replays; GET and POST /api/v1/silences, DELETE /api/v1/silences/ID",
	})
}
