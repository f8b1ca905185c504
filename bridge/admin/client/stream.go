package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/argo-bridge/argo-bridge/bridge/admin"
)

// ErrCut says that an answer ended before the bridge had said that it is whole.
var ErrCut = errors.New("the answer was cut off: the connection to the bridge broke")

// stream reads a streamed answer until its end, or until each returns false.
func (c *Client) stream(ctx context.Context, r request, each func(admin.Line) bool) error {
	return c.do(ctx, r, func(body io.Reader) error {
		// Heartbeats are white space, which the decoder passes over.
		lines := json.NewDecoder(body)
		for {
			var l admin.Line
			if err := lines.Decode(&l); err != nil {
				return cut(err)
			}
			switch {
			case l.Fault != nil:
				return l.Fault
			case l.End || !each(l):
				return nil
			}
		}
	})
}

func cut(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("read the answer: %w", err)
	}
	return fmt.Errorf("%w: %w", ErrCut, err)
}
