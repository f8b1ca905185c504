// Package leader lets one of several replicas do what only one may do at a time, by a Kubernetes Lease.
package leader

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// Times of the lease. A leader that cannot renew stops before another can begin: clocks need not agree,
// each measures by its own.
const (
	duration = 15 * time.Second
	renew    = 10 * time.Second
	retry    = 2 * time.Second
)

// LeaseName is the name of the Lease, in the bridge's own namespace.
const LeaseName = "argo-bridge-leader"

// An Elector makes this process the leader when no other is. A process that is alone needs no lease: a
// nil Client.
type Elector struct {
	Client    kubernetes.Interface
	Namespace string
	Log       *zap.Logger

	leads   atomic.Bool
	renewed atomic.Pointer[time.Time] // when the lease was last known to be held
}

// Leads says whether this process is the leader at the moment.
func (e *Elector) Leads() bool { return e.leads.Load() }

// Held says whether nobody else can lead at this moment. A process that was paused, and lost the lease meanwhile, may
// believe for an instant that it leads: who does what only one may do asks right before.
func (e *Elector) Held() bool {
	if e.Client == nil {
		return true
	}
	renewed := e.renewed.Load()
	return e.Leads() && renewed != nil && time.Since(*renewed) < renew
}

// Run calls lead while this process is the leader, with a context that ends when it no longer is, until ctx
// ends. It waits for lead to return.
func (e *Elector) Run(ctx context.Context, lead func(ctx context.Context)) error {
	if e.Client == nil {
		e.leads.Store(true)
		lead(ctx)
		return nil
	}
	for ctx.Err() == nil {
		if err := e.campaign(ctx, lead); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
	}
	return nil
}

// campaign waits for the lease and leads until it is lost, or ctx ends. The lease is given up once lead has
// returned, no earlier.
func (e *Elector) campaign(ctx context.Context, lead func(ctx context.Context)) error {
	t := &term{lead: lead, ended: make(chan struct{})}
	lock := &timedLock{&e.renewed, &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Name: LeaseName, Namespace: e.Namespace},
		Client:     e.Client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: identity()},
	}}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: duration, RenewDeadline: renew, RetryPeriod: retry, ReleaseOnCancel: true, Name: LeaseName,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) { e.serve(ctx, t) },
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return fmt.Errorf("leader election: %w", err)
	}
	holding, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	stopped := context.AfterFunc(ctx, func() {
		t.stop()
		giveUp()
	})
	elector.Run(holding)
	if stopped() {
		<-t.ended // the lease was held and lost
	}
	return nil
}

func (e *Elector) serve(ctx context.Context, t *term) {
	defer close(t.ended)
	ctx, ok := t.begin(ctx)
	if !ok {
		return
	}
	e.leads.Store(true)
	defer e.leads.Store(false)
	e.Log.Info("this replica leads", zap.String("lease", e.Namespace+"/"+LeaseName))
	t.lead(ctx)
	e.Log.Info("this replica no longer leads")
}

// A timedLock notes when the lease was last taken or renewed, by the time before the request.
type timedLock struct {
	renewed *atomic.Pointer[time.Time]
	resourcelock.Interface
}

func (l *timedLock) Create(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	return l.note(time.Now(), l.Interface.Create(ctx, r))
}

func (l *timedLock) Update(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	return l.note(time.Now(), l.Interface.Update(ctx, r))
}

func (l *timedLock) note(began time.Time, err error) error {
	if err == nil {
		l.renewed.Store(&began)
	}
	return err
}

// A term is the time in which this process leads.
type term struct {
	lead  func(ctx context.Context)
	ended chan struct{}

	mu     sync.Mutex
	over   bool
	cancel context.CancelFunc
}

// begin returns false when the term was over before it began.
func (t *term) begin(ctx context.Context) (context.Context, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return nil, false
	}
	ctx, t.cancel = context.WithCancel(ctx)
	return ctx, true
}

// stop ends the term, and waits for the end if it has begun.
func (t *term) stop() {
	t.mu.Lock()
	t.over = true
	cancel := t.cancel
	t.mu.Unlock()
	if cancel != nil {
		cancel()
		<-t.ended
	}
}

func identity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "_" + string(uuid.NewUUID())
}
