package layout

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

var scope = map[string]any{
	"workflow":   map[string]any{"name": "nightly-1", "message": `"}, {"type": "<!channel> & password=hunter2`},
	"parameters": map[string]any{"n": "7"},
}

func TestRender(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ source, want string }{
		"a name":                        {`[{"type":"header","text":{"type":"plain_text","text":"{{workflow.name}} failed"}}]`, `[{"text":{"text":"nightly-1 failed","type":"plain_text"},"type":"header"}]`},
		"an expression":                 {`[{"type":"markdown","text":"{{=int(parameters.n) * 2}}"}]`, `[{"text":"14","type":"markdown"}]`},
		"a value cannot mention":        {`[{"type":"section","text":{"type":"mrkdwn","text":"<!here> {{workflow.message}}"}}]`, `[{"text":{"text":"<!here> \"}, {\"type\": \"&lt;!channel&gt; &amp; password=***","type":"mrkdwn"},"type":"section"}]`},
		"what is no markup stays":       {`[{"type":"actions","elements":[{"type":"button","url":"https://x?a={{parameters.n}}&b={{workflow.message}}"}]}]`, `[{"elements":[{"type":"button","url":"https://x?a=7&b=\"}, {\"type\": \"<!channel> & password=hunter2"}],"type":"actions"}]`},
		"numbers and others stay":       {`[{"n":12345678901234567890,"b":true,"z":null,"type":"x"}]`, `[{"b":true,"n":12345678901234567890,"type":"x","z":null}]`},
		"an unknown name stays":         {`[{"type":"markdown","text":"{{workflow.nam}} <"}]`, `[{"text":"{{workflow.nam}} <","type":"markdown"}]`},
		"nothing":                       {`[]`, `[]`},
		"the same however often it is":  {`[{"type":"markdown","text":"{{workflow.name}}{{workflow.name}}"}]`, `[{"text":"nightly-1nightly-1","type":"markdown"}]`},
		"a text without a type is safe": {`[{"text":"{{workflow.message}}"}]`, `[{"text":"\"}, {\"type\": \"&lt;!channel&gt; &amp; password=***"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := Compile([]byte(tt.source))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				got, err := l.Render(scope)
				if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
					t.Errorf("%v\n%s", err, diff)
				}
			}
		})
	}
}

func TestFaultsSayWhereTheyStand(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ source, want string }{
		"no JSON":             {`[{]`, "no JSON array"},
		"an object":           {`{"blocks":[]}`, "no JSON array"},
		"more than an array":  {`[] []`, "something follows"},
		"a bad expression":    {`[{}, {"text":{"text":"{{=1 +}}"}}]`, "[1].text.text: "},
		"a tag without end":   {`[{"a":["{{x"]}]`, `[0].a[0]: `},
		"much too large":      {`["` + strings.Repeat("x", maxBytes) + `"]`, "at most 65536"},
		"nested without end":  {strings.Repeat("[", 100) + strings.Repeat("]", 100), "nested more than"},
		"a value that is bad": {`[{"text":"{{=1 / 0 % 0}}"}]`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := Compile([]byte(tt.source))
			if err == nil && tt.want == "" {
				_, err = l.Render(scope)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

// maps are ConfigMaps on a fake API server, and how often they were read.
type maps struct {
	*ConfigMaps
	client *fake.Clientset
	mu     sync.Mutex
	now    time.Time
	reads  int
	fails  error
}

func newMaps(t *testing.T) *maps {
	t.Helper()
	m := &maps{client: fake.NewClientset(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "data", Name: "looks"},
		Data:       map[string]string{"failed.json": `[{"type":"markdown","text":"{{workflow.name}}"}]`, "bad.json": `[`, "runs": `[{"text":"{{=1 % 0}}"}]`},
	}), now: time.Unix(1772370000, 0)}
	m.client.PrependReactor("get", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.reads++
		return m.fails != nil, nil, m.fails
	})
	m.ConfigMaps = &ConfigMaps{Client: m.client.CoreV1(), Now: func() time.Time { m.mu.Lock(); defer m.mu.Unlock(); return m.now }}
	return m
}

func TestALayoutIsReadEveryHalfMinute(t *testing.T) {
	t.Parallel()
	m := newMaps(t)
	for i, want := range []int{1, 1, 2} {
		got, err := m.Blocks(t.Context(), "data", "looks/failed.json", scope)
		if err != nil || got != `[{"text":"nightly-1","type":"markdown"}]` || m.reads != want {
			t.Errorf("%d: %s, %v after %d reads", i, got, err, m.reads)
		}
		if i == 1 {
			m.now = m.now.Add(freshFor)
		}
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ namespace, from, want string }{
		"no ConfigMap":         {"data", "other/failed.json", "no ConfigMap other in the namespace data"},
		"another namespace":    {"web", "looks/failed.json", "no ConfigMap looks in the namespace web"},
		"no key":               {"data", "looks/other.json", "has no key other.json"},
		"no form":              {"data", "looks", "NAME/KEY"},
		"a run without a home": {"", "looks/failed.json", "NAME/KEY"},
		"bad JSON":             {"data", "looks/bad.json", "ConfigMap looks/bad.json: it is no JSON array"},
		"a bad value":          {"data", "looks/runs", "ConfigMap looks/runs: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := newMaps(t).Blocks(t.Context(), tt.namespace, tt.from, scope); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v", err)
			}
		})
	}
	m := newMaps(t)
	m.fails = errors.New("no route")
	if _, err := m.Blocks(t.Context(), "data", "looks/failed.json", scope); err == nil || !strings.Contains(err.Error(), "no route") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m.fails = context.Canceled
	m.now = m.now.Add(time.Hour)
	_, _ = m.Blocks(ctx, "data", "looks/failed.json", scope)
	m.fails = nil
	if _, err := m.Blocks(t.Context(), "data", "looks/failed.json", scope); err != nil {
		t.Errorf("an end of the context is remembered: %v", err)
	}
}

func FuzzLayout(f *testing.F) {
	f.Add(`[{"type":"section","text":{"type":"mrkdwn","text":"{{workflow.name}}"}}]`, "<!channel>")
	f.Fuzz(func(t *testing.T, source, value string) {
		l, err := Compile([]byte(source))
		if err != nil {
			return
		}
		got, err := l.Render(map[string]any{"workflow": map[string]any{"name": value}})
		if err == nil && !json.Valid([]byte(got)) {
			t.Errorf("no JSON: %s", got)
		}
	})
}
