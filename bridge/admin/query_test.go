package admin_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/admin"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestQueriesAreReadStrictly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want bridge.Query
		err  string
	}{
		"nothing":                   {"", bridge.Query{}, ""},
		"all":                       {"source=github&type=t&template=a%2Fb&rule=r&outcome=parked&since=2h&until=90s&limit=5", bridge.Query{Source: "github", Type: "t", Template: "a/b", Rule: "r", Outcome: bridge.Parked, Since: now.Add(-2 * time.Hour), Until: now.Add(-90 * time.Second), Limit: 5}, ""},
		"days":                      {"since=3d", bridge.Query{Since: now.AddDate(0, 0, -3)}, ""},
		"a time":                    {"since=2026-02-01T00:00:00.5%2B01:00", bridge.Query{Since: time.Date(2026, 1, 31, 23, 0, 0, 5e8, time.UTC)}, ""},
		"an unknown parameter":      {"sinze=2h", bridge.Query{}, `"sinze" is no parameter: there are limit, outcome`},
		"twice":                     {"rule=a&rule=b", bridge.Query{}, "rule: is given 2 times"},
		"an unknown outcome":        {"outcome=failed", bridge.Query{}, `outcome: "failed" is none of matched, filtered`},
		"an empty outcome":          {"outcome=", bridge.Query{}, "outcome:"},
		"no time":                   {"since=yesterday", bridge.Query{}, "since: \"yesterday\" is neither how long ago"},
		"a time in the future":      {"since=-2h", bridge.Query{}, "since:"},
		"half days":                 {"since=1.5d", bridge.Query{}, "since:"},
		"no number":                 {"limit=ten", bridge.Query{}, "limit:"},
		"less than nothing":         {"limit=-1", bridge.Query{}, "limit:"},
		"bad escapes":               {"rule=%zz", bridge.Query{}, "query:"},
		"all faults, not the first": {"limit=x&until=y", bridge.Query{}, "until:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := admin.ParseQuery(c.text, now)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReplaysMustSayWhichEvents(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, err string }{
		"an event":                      {`{"event":"a"}`, ""},
		"an event by one rule":          {`{"event":"a","template":"argo/ci","rule":"default","dryRun":true,"id":"r-1"}`, ""},
		"the past of a template":        {`{"query":{"template":"ci","since":"2026-01-01T00:00:00Z"}}`, ""},
		"what was rejected":             {`{"query":{"outcome":"rejected"}}`, ""},
		"what is parked":                {`{"query":{"outcome":"parked","since":"2026-01-01T00:00:00Z"}}`, ""},
		"nothing":                       {`{}`, "which events?"},
		"since when alone":              {`{"query":{"since":"2026-01-01T00:00:00Z"}}`, "which events?"},
		"a rule alone":                  {`{"rule":"default"}`, "which events?"},
		"what matched":                  {`{"query":{"outcome":"matched"}}`, "which events?"},
		"a template, of all time":       {`{"query":{"template":"ci"}}`, "since when?"},
		"both":                          {`{"event":"a","query":{"outcome":"rejected"}}`, "both are given"},
		"an outcome that is none":       {`{"query":{"template":"ci","outcome":"x","since":"2026-01-01T00:00:00Z"}}`, "outcome:"},
		"an id that is no name":         {`{"event":"a","id":"A b"}`, "id:"},
		"an id that is long":            {`{"event":"a","id":"` + strings.Repeat("a", 33) + `"}`, "id:"},
		"a limit below 0":               {`{"query":{"outcome":"rejected","limit":-1}}`, "limit:"},
		"a field that does not exist":   {`{"event":"a","dryrum":true}`, "dryrum"},
		"a field of the query, unknown": {`{"query":{"outcom":"rejected"}}`, "outcom"},
		"two objects":                   {`{"event":"a"}{"event":"b"}`, "behind the JSON object"},
		"no JSON":                       {`event: a`, "not a replay as JSON"},
		"an empty body":                 {``, "not a replay as JSON"},
		"a wrong type":                  {`{"event":1}`, "not a replay as JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := admin.ParseReplay([]byte(c.body))
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %v, want %q", err, c.err)
			}
		})
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("source=github&since=2h&outcome=parked&limit=5")
	f.Add("since=65536d&until=9999999999h")
	f.Add("since=%00&%zz")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := admin.ParseQuery(text, now)
		if err != nil {
			return
		}
		again, err := admin.ParseQuery(admin.FormatQuery(q), now.Add(time.Hour))
		if err != nil {
			t.Fatalf("%q: %+v cannot be read again: %v", text, q, err)
		}
		if diff := cmp.Diff(q, again); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	})
}

func FuzzReplay(f *testing.F) {
	f.Add([]byte(`{"event":"a","id":"r-1"}`))
	f.Add([]byte(`{"query":{"template":"ci","since":"2026-01-01T00:00:00Z"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := admin.ParseReplay(body)
		if err != nil {
			return
		}
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		again, err := admin.ParseReplay(data)
		if err != nil {
			t.Fatalf("%q: as %s it is refused: %v", body, data, err)
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Errorf("%q: %s", body, diff)
		}
	})
}
