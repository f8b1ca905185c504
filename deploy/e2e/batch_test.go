package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"golang.org/x/time/rate"
)

const batchTemplate = `
metadata:
  name: load-many
  annotations:
    bridge.argoproj.io/on: |
      gcs.finalized: {buckets: [landing-many], objects: ["exports/**"]}
    bridge.argoproj.io/batch: |
      {max-items: 500, max-wait: 10s}
    bridge.argoproj.io/parameters: |
      id: gcs.name
      paths: toJSON(map(events, .gcs.name))
` + `
spec:
  entrypoint: main
  arguments: {parameters: [{name: id}, {name: paths}]}
  templates:
  - {name: main, container: {image: busybox, command: ["true"]}}
`

// objects are written to the bucket, evenly over a time.
const (
	manyObjects = 10_000
	writtenIn   = time.Minute
	killEvery   = 10 * time.Second
)

func TestTenThousandObjectsAreLoadedInBatchesWhateverDies(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns := c.newNamespace(t)
	c.apply(t, ns, batchTemplate)
	google, subscription := newBucket(t, "landing-many")
	bus := startNATS(t, server.RANDOM_PORT, t.TempDir())
	t.Cleanup(bus.Shutdown)
	var bridges []*proc
	for range 2 {
		p := newBridge(t, setup{cluster: c, namespace: ns, subscription: subscription, env: google.env(),
			config: fmt.Sprintf("bus: {url: %q}\n", bus.ClientURL())})
		p.startReady()
		bridges = append(bridges, p)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var killer sync.WaitGroup
	defer killer.Wait()
	killer.Go(func() { killByTurns(ctx, bridges) })

	began := time.Now()
	writeMany(t, google, "landing-many")
	written := time.Since(began)
	within(t, 3*time.Minute, "every object is in one Workflow", func() error { return inOneBatch(c, ns, manyObjects) })
	cancel()
	killer.Wait()
	items, err := c.workflows(ns)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d objects, written in %s, were loaded by %d Workflows within %s",
		manyObjects, written.Round(time.Second), len(items), time.Since(began).Round(time.Second))
	if len(items) < 20 || len(items) > 30 {
		t.Errorf("%d Workflows, want 20 to 30", len(items))
	}
}

// killByTurns kills one bridge after the other and starts it again, until ctx ends.
func killByTurns(ctx context.Context, bridges []*proc) {
	tick := time.NewTicker(killEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			bridges[n%len(bridges)].kill()
			bridges[n%len(bridges)].start()
		}
	}
}

// writeMany writes the objects at an even pace.
func writeMany(t *testing.T, g *googleCloud, bucket string) {
	t.Helper()
	pace := rate.NewLimiter(rate.Every(writtenIn/manyObjects), 50)
	var writers sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i := range manyObjects {
		if err := pace.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		slots <- struct{}{}
		writers.Go(func() {
			defer func() { <-slots }()
			if err := g.write(t.Context(), bucket, objectName(i), "{}"); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
}

func objectName(i int) string { return fmt.Sprintf("exports/%02d/%05d.json", i%100, i) }

// inOneBatch says whether the parameters of all Workflows together are exactly the objects.
func inOneBatch(c *cluster, ns string, objects int) error {
	items, err := c.workflows(ns)
	if err != nil {
		return err
	}
	seen := map[string]int{}
	for _, wf := range items {
		var paths []string
		if err := json.Unmarshal([]byte(parameter(wf, "paths")), &paths); err != nil {
			return fmt.Errorf("%s: %w", wf.GetName(), err)
		}
		for _, path := range paths {
			seen[path]++
		}
	}
	missing := 0
	for i := range objects {
		switch n := seen[objectName(i)]; {
		case n == 0:
			missing++
		case n > 1:
			return fmt.Errorf("%s is in %d Workflows", objectName(i), n)
		}
	}
	if missing > 0 || len(seen) != objects {
		return fmt.Errorf("%d of %d objects are in no Workflow; %d are in %d Workflows", missing, objects, len(seen), len(items))
	}
	return nil
}
