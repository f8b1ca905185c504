package main

import (
	"testing"
	"time"
)

const someLog = `{"level":"info","time":"2026-11-23T08:00:00Z","msg":"listening","address":"127.0.0.1:4711"}
{"level":"debug","time":"2026-11-23T08:00:01Z","msg":"event stored","component":"bus","event_id":"e","event_type":"com.github.push","took":0.25}
not JSON at all
{"level":"info","time":"2026-11-23T08:00:01.5Z","msg":"serving"}
{"level":"info","time":"2026-11-23T08:00:02Z","msg":"rule matched","event_id":"e","template":"argo/ci","rule":"push","workflow":"argo/ci-1"}
{"level":"debug","time":"2026-11-23T08:00:03Z","msg":"rule filtered","event_id":"e","template":"argo/docs","rule":"default","reason":"paths","detail":"paths: got \"x\""}
{"level":"info","time":"2026-11-23T08:00:04Z","msg":"notified","destination":"slack:#builds","outcome":"failed","workflow":"argo/ci-1"}
{"level":"warn","time":"2026-11-23T08:00:05Z","msg":"event not settled yet","event_id":"e","error":"the API server is away"}
{"level":"debug","time":"2026-11-23T08:00:06Z","msg":"something else","event_id":"e"}
`

func TestTheLogIsReadWhateverPiecesItComesIn(t *testing.T) {
	t.Parallel()
	for _, piece := range []int{1, 7, len(someLog)} {
		j := newJournal()
		r := newLogReader(j)
		for i := 0; i < len(someLog); i += piece {
			if _, err := r.Write([]byte(someLog[i:min(len(someLog), i+piece)])); err != nil {
				t.Fatal(err)
			}
		}
		if got := <-r.serving; got != "127.0.0.1:4711" {
			t.Errorf("serving at %q", got)
		}
		var kinds []kind
		for _, e := range j.of("e", 0, time.Now().AddDate(10, 0, 0)) {
			kinds = append(kinds, e.kind)
		}
		want := []kind{kindReceived, kindStored, kindSubmitted, kindFiltered, kindNotified, kindTrouble}
		if len(kinds) != len(want) {
			t.Fatalf("pieces of %d: got %v, want %v", piece, kinds, want)
		}
		for i := range want {
			if kinds[i] != want[i] {
				t.Errorf("pieces of %d: got %v, want %v", piece, kinds, want)
			}
		}
	}
}

func TestAnEventIsReceivedBeforeItIsStored(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 8, 0, 1, 0, time.UTC)
	got := logLine{Message: "event stored", Time: at, Took: 0.25}.entries()
	if len(got) != 2 || !got[0].at.Equal(at.Add(-250*time.Millisecond)) || !got[1].at.Equal(at) {
		t.Errorf("got %+v", got)
	}
}
