package app

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/ledger"
	"github.com/argo-bridge/argo-bridge/bridge/notify"
)

// keepForever is the age that the data of testdata were written with: they must not age out of the test.
const keepForever = 876000 * time.Hour

// oldData unpacks the data directory of a bridge of v0.1, which had handled one event of three, had met a
// failure at the second, and had three notifications on their way: one sent, one begun, one new.
func oldData(t *testing.T) string {
	t.Helper()
	f, err := os.Open("testdata/data-v0.1.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dir, archive := t.TempDir(), tar.NewReader(unzipped)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, h.Name)
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o700)
		} else {
			var data []byte
			if data, err = io.ReadAll(archive); err == nil {
				err = os.WriteFile(path, data, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func openOld(t *testing.T) (*bus.Bus, tables) {
	t.Helper()
	c := bus.Config{DataDir: oldData(t), MaxAge: keepForever}.Defaults()
	b, err := bus.Open(t.Context(), c, zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	all, err := openTables(t.Context(), b, c)
	if err != nil {
		t.Fatal(err)
	}
	return b, all
}

func TestAnUpgradeGoesOnWithTheEventsOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	b, all := openOld(t)
	l := ledger.New(all.ledger, keepForever, zaptest.NewLogger(t))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	var got []string
	err := b.ConsumeEvents(ctx, 4, func(ctx context.Context, e bridge.Event, _ bus.Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		if got = append(got, e.ID); len(got) == 2 {
			cancel()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"new", "waiting"}, got); diff != "" {
		t.Errorf("events that were not settled: %s", diff)
	}
	for id, done := range map[string]bool{"handled": true, "waiting": false} {
		r, known, err := l.Lookup(t.Context(), bridge.Event{ID: id, Source: "https://github.com/acme/app"})
		if err != nil || !known || r.Done != done || len(r.Results) != 1 || !r.Results[0].Settled() {
			t.Errorf("record of %s: %+v %v %v", id, r, known, err)
		}
	}
}

// told is a service that keeps what it is asked.
type told struct {
	mu           sync.Mutex
	sent, lookUp []string
}

func (s *told) Notify(_ context.Context, n bridge.Notification) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, n.Run.UID)
	return nil
}

func (s *told) Sent(_ context.Context, n bridge.Notification) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookUp = append(s.lookUp, n.Run.UID)
	return true, nil
}

func TestAnUpgradeTellsNothingTwice(t *testing.T) {
	t.Parallel()
	b, all := openOld(t)
	s := &told{}
	d := &notify.Deliverer{
		Notifiers: map[string]bridge.Notifier{"slack": s}, Outbox: all.outbox, Observer: newMetrics(), Log: zap.NewNop(), Now: time.Now,
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	handled := 0
	err := b.ConsumeNotifications(ctx, 1, func(ctx context.Context, n bridge.Notification, at bus.Delivery) error {
		if handled++; handled == 3 {
			defer cancel()
		}
		return d.Handle(ctx, n, at)
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"uid3"}, s.sent); diff != "" {
		t.Errorf("sent: %s", diff)
	}
	if diff := cmp.Diff([]string{"uid2"}, s.lookUp); diff != "" {
		t.Errorf("looked up: %s", diff)
	}
}

func TestAnUpgradeKeepsTheWatermark(t *testing.T) {
	t.Parallel()
	_, all := openOld(t)
	w := &watermark{all.state}
	m, err := w.Load(t.Context())
	if err != nil || !m.Since.Equal(time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)) || m.Version != "" {
		t.Fatalf("got %+v, %v", m, err)
	}
	m.Version = "17"
	if err := w.Save(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if again, err := w.Load(t.Context()); err != nil || again.Version != "17" || !again.Since.Equal(m.Since) {
		t.Errorf("after saving: %+v, %v", again, err)
	}
}
