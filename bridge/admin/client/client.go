// Package client speaks to the admin API of a running bridge. A Client is an admin.History and an
// admin.Replayer, so that a command written for those works on a bridge far away as on the bus itself.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/admin"
)

// silence is how long an answer may pause: four of the server's heartbeats.
const silence = time.Minute

// A Token returns the token of a request. It is asked for each one, since tokens of clouds live for
// minutes only.
type Token func(ctx context.Context) (string, error)

// A Client is safe for concurrent use. Its errors are *admin.Fault where the bridge has answered.
type Client struct {
	base    string
	token   Token
	http    *http.Client
	silence time.Duration
}

var (
	_ admin.History  = (*Client)(nil)
	_ admin.Replayer = (*Client)(nil)
)

// New makes a client of the bridge at server, such as http://127.0.0.1:8080.
func New(server string, token Token) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("server: %q is no address such as http://127.0.0.1:8080", server)
	}
	return &Client{
		base: strings.TrimSuffix(server, "/") + "/api/v1", token: token, silence: silence,
		http: &http.Client{
			// A token is for the server that was named, not for one that it names.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Records asks for records.
func (c *Client) Records(ctx context.Context, q bridge.Query, each func(bridge.Record) bool) error {
	return c.stream(ctx, request{method: http.MethodGet, path: "/events?" + admin.FormatQuery(q)}, func(l admin.Line) bool {
		return l.Record == nil || each(*l.Record)
	})
}

// Follow asks for records from now on. It returns nil when ctx ends.
func (c *Client) Follow(ctx context.Context, q bridge.Query, each func(bridge.Record)) error {
	err := c.stream(ctx, request{method: http.MethodGet, path: "/events:tail?" + admin.FormatQuery(q)}, func(l admin.Line) bool {
		if l.Record != nil {
			each(*l.Record)
		}
		return true
	})
	if ctx.Err() != nil {
		err = nil
	}
	return err
}

// Replay asks for a replay. When the answer is cut off, asking again with the same ID is safe.
func (c *Client) Replay(ctx context.Context, r bridge.Replay, each func(bridge.Replayed)) error {
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return c.stream(ctx, request{method: http.MethodPost, path: "/replays", body: body}, func(l admin.Line) bool {
		if l.Replayed != nil {
			each(*l.Replayed)
		}
		return true
	})
}

// Story asks for one event.
func (c *Client) Story(ctx context.Context, id string) (bridge.Story, error) {
	var story bridge.Story
	if id == "" {
		return story, bridge.Permanent(errors.New("the event's id is empty"))
	}
	err := c.do(ctx, request{method: http.MethodGet, path: "/events/" + escape(id)}, func(body io.Reader) error {
		if err := json.NewDecoder(body).Decode(&story); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		return nil
	})
	return story, err
}

// escape makes one segment of a path of an id; servers would resolve the segments . and .. away.
func escape(id string) string {
	if id == "." || id == ".." {
		return strings.ReplaceAll(id, ".", "%2E")
	}
	return url.PathEscape(id)
}

type request struct {
	method, path string
	body         []byte
}

// do sends the request and lets read have the body of a good answer.
func (c *Client) do(ctx context.Context, r request, read func(body io.Reader) error) error {
	token, err := c.token(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(c.silence, func() { cancel(fmt.Errorf("the bridge was silent for %s", c.silence)) })
	defer timer.Stop()
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, bytes.NewReader(r.body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if r.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(req)
	if err != nil {
		return because(ctx, fmt.Errorf("ask the bridge: %w", err))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return faultIn(answer)
	}
	return because(ctx, read(&alive{answer.Body, func() { timer.Reset(c.silence) }}))
}

// because names the silence where that is why the request was given up.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(cause, context.Canceled) {
		return fmt.Errorf("ask the bridge: %w", cause)
	}
	return err
}

// faultIn reads the error that the bridge, or something before it, has answered.
func faultIn(answer *http.Response) error {
	var f admin.Fault
	data, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err == nil && json.Unmarshal(data, &f) == nil && f.Text != "" {
		return &f
	}
	u := *answer.Request.URL
	u.RawQuery = ""
	return fmt.Errorf("%s answered %s, but not as the bridge does: does the address lead to it, with the path /api/v1?", u.Redacted(), answer.Status)
}

// alive reports each read that brought something.
type alive struct {
	io.Reader
	seen func()
}

func (a *alive) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if n > 0 {
		a.seen()
	}
	return n, err
}
