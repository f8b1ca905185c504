package e2e

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
)

// BenchmarkCreateWorkflows measures what the API server takes, with Argo's
// controller stopped.
func BenchmarkCreateWorkflows(b *testing.B) {
	l := up(b)
	l.create(templates, template())
	l.run("stop", cluster.Controller)
	for _, concurrency := range []int{2, 8, 32} {
		b.Run(fmt.Sprintf("concurrency-%d", concurrency), func(b *testing.B) {
			b.SetParallelism(max(1, concurrency/runtime.GOMAXPROCS(0)))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					object := &unstructured.Unstructured{Object: submission("code", "0")}
					_, err := l.client.Resource(workflows).Namespace("argo").Create(context.Background(), object, metav1.CreateOptions{})
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
		})
	}
}
