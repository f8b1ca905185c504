package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// An apiMode is how the API server behaves as the bridges see it.
type apiMode struct {
	name string
	// refuse answers this part of the requests, in percent, with status.
	refuse, status int
	// pause holds every request until the mode changes.
	pause bool
	// cut breaks every connection.
	cut bool
	// lose carries creations out, and breaks the connection before the answer.
	lose bool
	// blind answers nothing to who wants to see Workflows, and ends what they see.
	blind bool
}

// An apiProxy stands between the bridges and the API server. Safe for concurrent use.
type apiProxy struct {
	kubeconfig string
	creations  atomic.Int64 // of Workflows, asked for by bridges
	held       atomic.Int64 // requests that a pause holds

	proxy *httputil.ReverseProxy
	mu    sync.Mutex
	mode  apiMode
	over  chan struct{} // closed when the mode changes
	epoch context.Context
	end   context.CancelFunc // of the epoch: breaks what is open
}

func newAPIProxy(t testing.TB, w *world) *apiProxy {
	t.Helper()
	target, err := url.Parse(w.cluster.config.Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(w.cluster.config)
	if err != nil {
		t.Fatal(err)
	}
	p := &apiProxy{over: make(chan struct{}), kubeconfig: filepath.Join(scratch, w.name, "kubeconfig")}
	p.epoch, p.end = context.WithCancel(context.Background())
	p.proxy = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1, // a watch is a stream
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p.serve(t)
	return p
}

// serve writes a kubeconfig that leads here and serves it.
func (p *apiProxy) serve(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: chaos,
clusters: [{name: chaos, cluster: {server: "http://%s"}}],
contexts: [{name: chaos, context: {cluster: chaos, user: chaos}}], users: [{name: chaos, user: {}}]}
`, l.Addr())
	if err := os.WriteFile(p.kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: p}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		p.set(apiMode{cut: true})
		_ = server.Close()
		serving.Wait()
	})
}

// set changes how the API server behaves; what breaks connections breaks the open watches as well.
func (p *apiProxy) set(m apiMode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
	close(p.over)
	p.over = make(chan struct{})
	if m.cut || m.blind {
		p.end()
		p.epoch, p.end = context.WithCancel(context.Background())
	}
}

func (p *apiProxy) state() (apiMode, <-chan struct{}, context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode, p.over, p.epoch
}

// wait holds a request while the server pauses.
func (p *apiProxy) wait(ctx context.Context) (apiMode, context.Context) {
	p.held.Add(1)
	defer p.held.Add(-1)
	for {
		mode, over, epoch := p.state()
		if !mode.pause {
			return mode, epoch
		}
		select {
		case <-over:
		case <-ctx.Done():
			return mode, epoch
		}
	}
}

// ServeHTTP implements http.Handler.
func (p *apiProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	workflows := strings.HasSuffix(r.URL.Path, "/workflows")
	creation := r.Method == http.MethodPost && workflows
	if creation {
		p.creations.Add(1)
	}
	// Only once the body is read does the server notice that the client has gone.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	mode, epoch := p.wait(r.Context())
	switch {
	case r.Context().Err() != nil:
		return
	case mode.cut:
		panic(http.ErrAbortHandler)
	case mode.blind && r.Method == http.MethodGet && workflows:
		refuse(w, http.StatusServiceUnavailable)
		return
	case mode.refuse > rand.IntN(100):
		refuse(w, mode.status)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(epoch, cancel)()
	if mode.lose && creation {
		p.proxy.ServeHTTP(&unheard{header: http.Header{}}, r.WithContext(ctx))
		panic(http.ErrAbortHandler)
	}
	p.proxy.ServeHTTP(w, r.WithContext(ctx))
}

// refuse answers as an API server does that is not well.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	reason := metav1.StatusReasonInternalError
	switch status {
	case http.StatusTooManyRequests:
		reason = metav1.StatusReasonTooManyRequests
		w.Header().Set("Retry-After", "1")
	case http.StatusServiceUnavailable:
		reason = metav1.StatusReasonServiceUnavailable
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
		Code: int32(status), Reason: reason, Message: "chaos",
	})
}

// unheard is an answer that nobody gets.
type unheard struct{ header http.Header }

func (l *unheard) Header() http.Header         { return l.header }
func (l *unheard) Write(b []byte) (int, error) { return len(b), nil }
func (l *unheard) WriteHeader(int)             {}
