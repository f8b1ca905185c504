package notify

import (
	"context"
	"errors"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Addresses finds where the source of a run's event answers, by what the bridge itself has kept: the labels of a run
// are anybody's to write who may make one.
type Addresses interface {
	// Address returns the ReplyTo of the event that has started the run; known is false while the bridge does not know
	// of it.
	Address(ctx context.Context, run bridge.Run) (address string, known bool, err error)
}

// addressFor is how long the record of an event may be behind the run that it has started.
const addressFor = 10 * time.Minute

// address fills in where the notification goes.
func (d *Deliverer) address(ctx context.Context, n *bridge.Notification) error {
	if !n.To.AtSource() || n.Address != "" {
		return nil
	}
	address, known, err := d.Addresses.Address(ctx, n.Run)
	switch {
	case err != nil:
		return err
	case known && address != "":
		n.Address = address
		return nil
	case known || d.Now().Sub(n.Created) > addressFor:
		return bridge.Permanent(errors.New("no event of that source has started the run"))
	}
	return bridge.RetryAfter(errors.New("the bridge has not recorded yet what has started the run"), lookUpAfter)
}
