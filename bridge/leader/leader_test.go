package leader

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestOneLeadsAndAnotherTakesOverOnceItHasFinished(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset()
	var leading, most atomic.Int32
	var terms sync.WaitGroup
	lead := func(began chan<- struct{}) func(context.Context) {
		return func(ctx context.Context) {
			most.Store(max(most.Load(), leading.Add(1)))
			close(began)
			<-ctx.Done()
			time.Sleep(50 * time.Millisecond) // what has begun is finished
			leading.Add(-1)
		}
	}
	start := func() (stop context.CancelFunc, began chan struct{}, e *Elector) {
		ctx, cancel := context.WithCancel(t.Context())
		began, e = make(chan struct{}), &Elector{Client: client, Namespace: "argo", Log: zap.NewNop()}
		terms.Go(func() {
			if err := e.Run(ctx, lead(began)); err != nil {
				t.Error(err)
			}
		})
		return cancel, began, e
	}
	stopFirst, first, one := start()
	<-first
	stopSecond, second, two := start()
	if !one.Leads() || two.Leads() {
		t.Errorf("leads: %v and %v, want the first", one.Leads(), two.Leads())
	}
	stopFirst()
	select {
	case <-second:
	case <-time.After(time.Minute):
		t.Fatal("nobody took over")
	}
	stopSecond()
	terms.Wait()
	if most.Load() != 1 {
		t.Errorf("%d led at once", most.Load())
	}
	lease, err := client.CoordinationV1().Leases("argo").Get(t.Context(), LeaseName, metav1.GetOptions{})
	if err != nil || (lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "") {
		t.Errorf("the lease is not given up: %+v %v", lease, err)
	}
}

func TestWhoIsAloneLeadsWithoutALease(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	e, led := &Elector{Log: zap.NewNop()}, false
	err := e.Run(ctx, func(context.Context) {
		led = e.Leads()
		cancel()
	})
	if err != nil || !led {
		t.Errorf("led %v, %v", led, err)
	}
}

func TestWhoIsStoppedBeforeItLedNeverDoes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := &Elector{Client: fake.NewClientset(), Namespace: "argo", Log: zap.NewNop()}
	if err := e.Run(ctx, func(context.Context) { t.Error("led") }); err != nil {
		t.Error(err)
	}
}
