package bridge

import "time"

// A Flow holds the annotations concurrency, ordered, latest-only, rate and batch of a rule: when its Workflows
// may be made. The zero value is at once.
type Flow struct {
	// Concurrency bounds the runs of one group; nil: unbounded.
	Concurrency *Concurrency
	// Ordered is the key whose runs come one after the other, in the order of their events; nil: none.
	Ordered Expression
	// LatestOnly skips an event that is stale when its turn comes: one that is older than another about the
	// same object (see Facts.Object) that fits the rule as well.
	LatestOnly bool
	// Rate bounds how often a Workflow is made; the zero value: as often as may be.
	Rate Rate
	// Batch makes one Workflow of many events; nil: one of each.
	Batch *Batch
}

// Free says that nothing bounds the rule: its Workflows are made at once.
func (f Flow) Free() bool {
	return f.Concurrency == nil && f.Ordered == nil && !f.LatestOnly && f.Rate == Rate{} && f.Batch == nil
}

// A Policy says what becomes of an event whose concurrency group is full.
type Policy string

// The policies of concurrency.
const (
	// Queue: it waits, first in, first out.
	Queue Policy = "queue"
	// ReplacePending: it waits in the place of the one that waited so far, as in GitHub Actions.
	ReplacePending Policy = "replace-pending"
	// CancelInProgress: the oldest run is stopped, and it starts when that has ended.
	CancelInProgress Policy = "cancel-in-progress"
	// Skip: it is skipped.
	Skip Policy = "skip"
)

// Policies are all policies.
var Policies = []Policy{Queue, ReplacePending, CancelInProgress, Skip}

// A Shutdown is how a run is stopped, in Argo's own words for spec.shutdown.
type Shutdown string

// The ways to stop a run.
const (
	ShutdownStop      Shutdown = "Stop"      // exit handlers run
	ShutdownTerminate Shutdown = "Terminate" // nothing more runs
)

// Concurrency bounds the runs of one group of a template.
type Concurrency struct {
	// Group names the group within the template; nil: the rule is the group, and runs of the template that
	// people start by hand count as well.
	Group Expression
	// Limit is how many runs of the group may be in flight, at least 1.
	Limit  int
	Policy Policy
	// MaxWaiting bounds how many events wait for a full group with the policy queue; more are rejected. 0: as many as
	// the bus holds.
	MaxWaiting int
	// Shutdown is how cancel-in-progress stops a run.
	Shutdown Shutdown
}

// A Rate is so many Workflows in a time, evenly spaced: after idling there is no burst.
type Rate struct {
	Count int
	Per   time.Duration
}

// Interval is the time between two Workflows; 0 for the zero value.
func (r Rate) Interval() time.Duration {
	if r.Count == 0 {
		return 0
	}
	return r.Per / time.Duration(r.Count)
}

// A Batch collects events for one Workflow.
type Batch struct {
	// MaxItems closes a batch that has so many events.
	MaxItems int
	// MaxWait closes a batch whose first event has waited so long.
	MaxWait time.Duration
	// Group is evaluated for each event: those of one value go into one batch; nil: all of the rule do.
	Group Expression
}

// MaxBatchItems is the most that Batch.MaxItems may be.
const MaxBatchItems = 1000

// FlowKeys are the expressions of a Flow, evaluated for one event; empty where there is none.
type FlowKeys struct {
	Group string `json:"group,omitempty"` // of concurrency; the rule's name where it is the group
	Order string `json:"order,omitempty"`
	Batch string `json:"batch,omitempty"`
}

// A BatchRef names the batch that an event went into.
type BatchRef struct {
	// First and Last are the ids of its first and last event, by their places on the bus.
	First string `json:"first"`
	Last  string `json:"last"`
	// Lead is the hash of the first event, under which the run of the batch is kept.
	Lead  string `json:"lead"`
	Items int    `json:"items"`
}
