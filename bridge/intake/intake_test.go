package intake

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// reading is a handler as the adapters are: it reads the body and answers 503 when it may not.
func reading(held func(n int)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if _, busy := bridge.Wait(err); busy {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		held(len(body))
		_, _ = fmt.Fprint(w, len(body))
	})
}

func serve(t *testing.T, l *Limiter, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(l.Wrap(h))
	t.Cleanup(s.Close)
	return s.URL
}

// post sends n bytes, with or without saying so beforehand, and returns status and answer.
func post(t *testing.T, url string, n int, says bool) (int, string) {
	t.Helper()
	var body io.Reader = bytes.NewReader(make([]byte, n))
	if !says {
		body = io.MultiReader(body)
	}
	response, err := http.Post(url, "application/json", body)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(answer)
}

func TestMoreRequestsThanThereArePlacesAreToldSo(t *testing.T) {
	t.Parallel()
	l, gate, inside := NewLimiter(Budget), make(chan struct{}), make(chan struct{})
	l.places = semaphore.NewWeighted(1)
	url := serve(t, l, reading(func(int) {
		inside <- struct{}{}
		<-gate
	}))
	first := make(chan int)
	go func() {
		status, _ := post(t, url, 10, true)
		first <- status
	}()
	<-inside
	if status, _ := post(t, url, 10, true); status != http.StatusServiceUnavailable {
		t.Errorf("the second got %d, want 503", status)
	}
	close(gate)
	if status := <-first; status != http.StatusOK {
		t.Errorf("the first got %d", status)
	}
	go func() { <-inside }()
	if status, _ := post(t, url, 10, true); status != http.StatusOK {
		t.Errorf("after it, one got %d", status)
	}
}

func TestABodyOfEverySizeArrivesWhole(t *testing.T) {
	t.Parallel()
	url := serve(t, NewLimiter(Budget), reading(func(int) {}))
	for _, n := range []int{0, 1, free - 1, free, free + 1, 5<<20 + 3} {
		for _, says := range []bool{true, false} {
			if status, answer := post(t, url, n, says); status != http.StatusOK || answer != fmt.Sprint(n) {
				t.Errorf("%d bytes (length stated: %v): %d %s", n, says, status, answer)
			}
		}
	}
}

func TestLargeBodiesStayWithinTheBudgetAndAllAreServed(t *testing.T) {
	t.Parallel()
	const budget, size, senders = 8 << 20, 3 << 20, 12
	var held, most atomic.Int64
	url := serve(t, NewLimiter(budget), reading(func(n int) {
		now := held.Add(int64(n))
		for top := most.Load(); now > top && !most.CompareAndSwap(top, now); top = most.Load() {
		}
		time.Sleep(time.Millisecond)
		held.Add(-int64(n))
	}))
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			if status, answer := post(t, url, size, i%4 != 0); status != http.StatusOK {
				t.Errorf("%d %s", status, answer)
			}
		})
	}
	all.Wait()
	if most.Load() > budget {
		t.Errorf("%d bytes were held at once, more than %d", most.Load(), budget)
	}
}

// full returns a limiter whose budget is all taken.
func full(t *testing.T) *Limiter {
	t.Helper()
	l := NewLimiter(2 << 20)
	l.wait = 50 * time.Millisecond
	if err := l.budget.Acquire(t.Context(), l.size); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestWithoutMemoryALargeBodyIsToldSoAndASmallOneIsServed(t *testing.T) {
	t.Parallel()
	l := full(t)
	url := serve(t, l, reading(func(int) {}))
	if status, _ := post(t, url, free, true); status != http.StatusOK {
		t.Errorf("a small body: %d", status)
	}
	for _, says := range []bool{true, false} {
		r := httptest.NewRequest(http.MethodPost, "/", io.LimitReader(zeros{}, 3<<20))
		if says {
			r.ContentLength = 3 << 20
		}
		w := httptest.NewRecorder()
		l.Wrap(reading(func(int) { t.Error("the body was read") })).ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("a large body (length stated: %v): %d", says, w.Code)
		}
	}
	l.budget.Release(l.size)
	if status, _ := post(t, url, 3<<20, true); status != http.StatusOK {
		t.Errorf("when there is memory again: %d", status)
	}
}

func TestWhatIsRefusedByItsHeadersDoesNotWait(t *testing.T) {
	t.Parallel()
	l := full(t)
	l.wait = time.Hour
	url := serve(t, l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	if status, answer := post(t, url, 3<<20, true); status != http.StatusUnauthorized && status != 0 {
		t.Errorf("%d %s", status, answer)
	}
}

func TestASenderThatStallsGivesItsShareBack(t *testing.T) {
	t.Parallel()
	l := NewLimiter(4 << 20)
	l.stall = time.Second
	url := serve(t, l, reading(func(int) {}))
	for range 2 { // two of them take all, without sending more than their headers
		conn, err := net.Dial("tcp", url[len("http://"):])
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", 2<<20)
	}
	time.Sleep(10 * time.Millisecond)
	if status, answer := post(t, url, 4<<20, true); status != http.StatusOK {
		t.Errorf("%d %s", status, answer)
	}
}

func TestASenderThatTricklesIsDoneInTheEnd(t *testing.T) {
	t.Parallel()
	l := NewLimiter(4 << 20)
	l.longest = 200 * time.Millisecond
	url := serve(t, l, reading(func(int) {}))
	conn, err := net.Dial("tcp", url[len("http://"):])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", 4<<20)
	go func() {
		for range 1000 {
			if _, err := conn.Write(make([]byte, 1<<10)); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	answered := make([]byte, 12)
	if err := conn.SetReadDeadline(time.Now().Add(4 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, answered); err != nil || string(answered) != "HTTP/1.1 400" {
		t.Errorf("got %q %v", answered, err)
	}
}

func TestTheDeadlineOfTheBodyDoesNotEndTheRequest(t *testing.T) {
	t.Parallel()
	l := NewLimiter(4 << 20)
	l.stall = time.Second
	url := serve(t, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		select {
		case <-r.Context().Done():
			t.Error("the request was given up while its event was being stored")
		case <-time.After(1500 * time.Millisecond):
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	for range 2 { // the second on the same connection
		if status, answer := post(t, url, 2<<20, true); status != http.StatusAccepted {
			t.Errorf("%d %s", status, answer)
		}
	}
}

func TestASenderThatLeavesDoesNotKeepItsPlace(t *testing.T) {
	t.Parallel()
	l := full(t)
	l.wait = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequest(http.MethodPost, "/", zeros{}).WithContext(ctx)
	r.ContentLength = 2 << 20
	w := httptest.NewRecorder()
	l.Wrap(reading(func(int) {})).ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d", w.Code)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
