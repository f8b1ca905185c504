package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func decode(data []byte, into any) error { return json.Unmarshal(data, into) }

// A process is one bridge in a chaos.
type process struct {
	*Notifier
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	line   *line
}

// A line is a process's way to the bus and to Slack, which is cut when it dies.
type line struct {
	*chaos
	cut bool
	api *slack.Client
}

var errCut = errors.New("the line is cut")

func (c *chaos) client() *slack.Client {
	return slack.New(botToken, slack.OptionAPIURL(c.slack.APIURL()), slack.OptionHTTPClient(&http.Client{Transport: c.slack.Transport()}))
}

func (c *chaos) start() {
	l := &line{chaos: c}
	l.api = slack.New(botToken, slack.OptionAPIURL(c.slack.APIURL()), slack.OptionHTTPClient(&http.Client{Transport: l}))
	p := &process{line: l, done: make(chan struct{})}
	p.Notifier = New(Options{
		Clients: l, Table: l, Silences: c.silent, Settings: c.set, Others: c.two, Owner: fmt.Sprint(c.n(1e9)), Log: zap.NewNop(), Now: time.Now,
	})
	p.ctx, p.cancel = context.WithCancel(context.Background())
	go func() { defer close(p.done); _ = p.Run(p.ctx) }()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive = append(c.alive, p)
}

// end ends a process; if it dies it is cut off from everything at once.
func (c *chaos) end(p *process, dies bool) {
	c.mu.Lock()
	for i, other := range c.alive {
		if other == p {
			c.alive = append(c.alive[:i:i], c.alive[i+1:]...)
			break
		}
	}
	p.line.cut = dies
	c.mu.Unlock()
	p.cancel()
	if !dies {
		<-p.done
	}
}

// any is one of the processes; nil when there is none.
func (c *chaos) any() *process {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.alive) == 0 {
		return nil
	}
	return c.alive[c.rnd.IntN(len(c.alive))]
}

func (c *chaos) died(p *process) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return p.line.cut
}

func (l *line) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

// Client and Redact implement Clients.
func (l *line) Client(string) (*slack.Client, error) { return l.api, nil }
func (l *line) Redact(text string) string {
	return strings.ReplaceAll(text, botToken, "[token]")
}

// RoundTrip is a call of Slack, which arrives whatever becomes of the process.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.isCut() {
		return nil, errCut
	}
	time.Sleep(l.within(300 * time.Millisecond))
	answer, err := l.slack.Transport().RoundTrip(r)
	time.Sleep(l.within(2 * time.Second))
	if l.isCut() {
		return nil, errCut
	}
	return answer, err
}

// broken makes a call of the bus fail.
func (l *line) broken() error {
	time.Sleep(l.within(20 * time.Millisecond))
	if l.isCut() || l.breaks && l.roll(40) {
		return errCut
	}
	return nil
}

func (l *line) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	if err := l.broken(); err != nil {
		return nil, 0, err
	}
	return l.shelf.Load(ctx, key)
}

func (l *line) Store(ctx context.Context, key string, state []byte, revision uint64) error {
	if err := l.broken(); err != nil {
		return err
	}
	if err := l.shelf.Store(ctx, key, state, revision); err != nil {
		return err
	}
	return l.broken() // the answer may be lost as well
}

func (l *line) List(ctx context.Context, prefix string) (map[string][]byte, error) {
	if err := l.broken(); err != nil {
		return nil, err
	}
	return l.shelf.List(ctx, prefix)
}

var _ bridge.Register = (*line)(nil)
