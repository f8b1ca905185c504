package notify

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// States of a notification in the outbox.
const (
	stateQueued = "queued" // not accepted yet, and known not to be
	stateBegun  = "begun"  // handed to the service; no answer recorded
	stateSent   = "sent"   // accepted by the service
	stateFailed = "failed" // refused for good
)

// noEvent stands in the keys of notifications of runs that no event has started.
const noEvent = "none"

// outboxKey is where the notification stands: all those of one event have its hash as their first token.
func outboxKey(n bridge.Notification) string {
	hash := n.Run.Labels[bridge.LabelEvent]
	if !bridge.IsHash(hash) {
		hash = noEvent
	}
	return hash + "." + n.Key
}

// OutboxOf is the filter of all entries of the event with that hash.
func OutboxOf(hash string) string { return hash + ".*" }

// DecodeSent reads an entry of the outbox.
func DecodeSent(e bus.Entry) (r bridge.SentRecord, err error) {
	err = json.Unmarshal(e.Value, &r)
	return r, err
}

// load reads what is known of a notification, and the revision to write it over.
func (d *Deliverer) load(ctx context.Context, n bridge.Notification) (state string, revision uint64, err error) {
	entry, found, err := d.Outbox.Get(ctx, outboxKey(n))
	if err != nil {
		return "", 0, err
	}
	if !found {
		return d.loadOld(ctx, n)
	}
	r, _ := DecodeSent(entry) // what cannot be read says nothing of the state
	return r.State, entry.Revision, nil
}

// loadOld finds an entry of an earlier bridge. One before v0.2 wrote the bare state under the notification's own key; those
// that did not tell the attempts of a run apart had a key without the attempt, which counts if it is of this one.
func (d *Deliverer) loadOld(ctx context.Context, n bridge.Notification) (state string, revision uint64, err error) {
	if key, attempt := strings.CutSuffix(n.Key, attemptOf(n.Run)); attempt && attemptOf(n.Run) != "" {
		n.Key = key
		entry, found, err := d.Outbox.Get(ctx, outboxKey(n))
		if r, _ := DecodeSent(entry); err != nil || found && !r.At.Before(n.Run.Started) {
			return r.State, 0, err
		}
	}
	entry, _, err := d.Outbox.Get(ctx, n.Key)
	return string(entry.Value), 0, err
}

// store records a state. Who begins to send compares the revision, so that of two replicas one sends; the answer
// of the service is recorded whatever happened meanwhile.
func (d *Deliverer) store(ctx context.Context, n bridge.Notification, state string, failed error) error {
	data, err := d.encode(n, state, failed)
	if err != nil {
		return err
	}
	return d.Outbox.Put(ctx, outboxKey(n), data)
}

func (d *Deliverer) begin(ctx context.Context, n bridge.Notification, revision uint64) error {
	data, err := d.encode(n, stateBegun, nil)
	if err != nil {
		return err
	}
	return d.Outbox.Update(ctx, outboxKey(n), data, revision)
}

func (d *Deliverer) encode(n bridge.Notification, state string, failed error) ([]byte, error) {
	r := bridge.SentRecord{Key: n.Key, Outcome: n.Outcome, To: n.To.String(), State: state, At: d.Now().UTC().Truncate(time.Millisecond)}
	if n.Run.Name != "" {
		r.Workflow = n.Run.Namespace + "/" + n.Run.Name
	}
	if failed != nil {
		r.Error = failed.Error()
	}
	return json.Marshal(r)
}
