package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/argo-bridge/argo-bridge/bridge"
)

var _ bridge.Silences = (*Client)(nil)

// Add asks for a silence.
func (c *Client) Add(ctx context.Context, s bridge.Silence) error {
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("silence: %w", err)
	}
	return c.do(ctx, request{method: http.MethodPost, path: "/silences", body: body}, ignored)
}

// Remove ends a silence.
func (c *Client) Remove(ctx context.Context, id string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: "/silences/" + escape(id)}, ignored)
}

// List asks for the silences that have not ended.
func (c *Client) List(ctx context.Context) (all []bridge.Silence, err error) {
	return all, c.do(ctx, request{method: http.MethodGet, path: "/silences"}, func(body io.Reader) error {
		if err := json.NewDecoder(body).Decode(&all); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		return nil
	})
}

// ignored reads an answer that says nothing more than its status.
func ignored(body io.Reader) error {
	_, err := io.Copy(io.Discard, body)
	return err
}
