package alerts

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// refusesBlocks says that Slack does not take a message for what its blocks are.
func refusesBlocks(err error) bool {
	switch word(err) {
	case "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_attachments":
		return true
	}
	return false
}

// withoutBlocks gives up the author's own blocks, which Slack has refused: an alert that looks as always is better than
// none.
func (n *Notifier) withoutBlocks(ctx context.Context, e *entry, refused error) told {
	fault := n.fault(e.To.String(), refused).Error()
	n.Log.Warn("slack refuses the template's own blocks; the message looks as always",
		zap.Stringer(bridge.LogTemplate, e.Newest.Run.Template), zap.String(bridge.LogDetail, fault))
	err := bridge.Change(ctx, n.Table, keyAlert+e.ID, func(e *entry) bool {
		delete(e.Newest.Options, bridge.OptionBlocks)
		if e.Newest.Options == nil {
			e.Newest.Options = map[string]string{}
		}
		e.Newest.Options[bridge.OptionBlocksFault] = clip(fault, 300)
		e.Writer = nil
		return true
	})
	if err != nil {
		return n.failing(e.ID, err)
	}
	return told{shown: e.Shown, again: time.Millisecond}
}
