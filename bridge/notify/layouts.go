package notify

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Layouts render the looks of messages that authors keep elsewhere, as bridge.OptionBlocksFrom names it. They take no
// longer than it takes to send a message; an error is for the author.
type Layouts interface {
	Blocks(ctx context.Context, namespace, from string, variables map[string]any) (string, error)
}

// layOut puts the look that a template's author wants in place of where it is kept. One that is missing or wrong costs the
// look, not the notification, and the message says so.
func (r *Reporter) layOut(ctx context.Context, run bridge.Run, options map[string]string, scope map[string]any) {
	from, wanted := options[bridge.OptionBlocksFrom]
	if !wanted {
		return
	}
	delete(options, bridge.OptionBlocksFrom)
	blocks, err := "", errors.New("this bridge reads no ConfigMaps")
	if r.Layouts != nil {
		blocks, err = r.Layouts.Blocks(ctx, run.Namespace, from, scope)
	}
	if err != nil {
		r.Log.Warn("the template's blocks cannot be had; sending the default message",
			zap.Stringer(bridge.LogTemplate, run.Template), zap.String(bridge.LogWorkflow, run.Name), zap.String("blocks", from), zap.Error(err))
		options[bridge.OptionBlocksFault] = err.Error()
		return
	}
	options[bridge.OptionBlocks] = blocks
}
