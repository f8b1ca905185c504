package flow

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// shortForm is how many schedules of each policy are part of `make test`.
	shortForm = 25
	// sideBySide is how many schedules are played at once.
	sideBySide = 48
)

// TestConcurrencyHoldsUnderRandomSchedules plays FLOW_SCHEDULES schedules of each policy on FLOW_BRIDGES bridges. FLOW_SEED repeats a run,
// and FLOW_ONLY=queue-017 one schedule of it.
func TestConcurrencyHoldsUnderRandomSchedules(t *testing.T) {
	needCluster(t)
	seed := number(t, "FLOW_SEED", rand.Uint64N(1_000_000))
	count := number(t, "FLOW_SCHEDULES", shortForm)
	bridges := number(t, "FLOW_BRIDGES", 2)
	schedules := draw(seed, int(count), os.Getenv("FLOW_ONLY"))
	say("%d schedules on %d bridges; again: FLOW_SEED=%d FLOW_SCHEDULES=%d FLOW_BRIDGES=%d go test -run %s ./deploy/flow",
		len(schedules), bridges, seed, count, bridges, t.Name())
	p := &play{t: t}
	p.world = newWorld(t, int(bridges), schedules, func(err error) { t.Error(err) })
	p.world.restarts.deadly = count > shortForm
	ctx, cancel := context.WithCancel(t.Context())
	restarting := make(chan error, 1)
	go func() { restarting <- p.world.restarts.run(ctx) }()
	var playing errgroup.Group
	playing.SetLimit(sideBySide)
	for _, s := range schedules {
		playing.Go(func() error { p.one(ctx, s); return nil })
	}
	_ = playing.Wait()
	cancel()
	if err := <-restarting; err != nil {
		t.Error(err)
	}
	p.sum()
}

func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// draw makes the schedules of a seed, those of the policies mixed.
func draw(seed uint64, count int, only string) []schedule {
	var all []schedule
	for i := range count {
		for _, p := range bridge.Policies {
			if s := newSchedule(seed, p, i); only == "" || only == s.template() {
				all = append(all, s)
			}
		}
	}
	return all
}

// A play is a run of all schedules, and what came of it.
type play struct {
	t     *testing.T
	world *world

	mu     sync.Mutex
	tally  map[string]int // by policy and what happened
	broken int
}

// one plays a schedule and judges it.
func (p *play) one(ctx context.Context, s schedule) {
	x := &trial{world: p.world, schedule: s, ended: map[string]bool{}}
	var breaches []string
	if err := x.play(ctx); err != nil {
		breaches = append(breaches, err.Error())
	}
	o := x.outcome()
	breaches = append(breaches, o.judge()...)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count(o)
	if len(breaches) > 0 {
		p.broken++
		p.t.Errorf("%s (limit %d, groups %q):\n  %s\n%s", s.template(), s.limit, s.groups, strings.Join(breaches, "\n  "), o)
	}
}

// count needs the lock.
func (p *play) count(o outcome) {
	if p.tally == nil {
		p.tally = map[string]int{}
	}
	add := func(what string, n int) { p.tally[string(o.policy)+" "+what] += n }
	add("events", len(o.events))
	for _, r := range o.results {
		add(string(r.Verdict), 1)
	}
	stopped := map[string]bool{}
	for _, c := range o.changes {
		if c.reason != "" {
			stopped[c.name] = true
		}
	}
	add("stopped", len(stopped))
}

// sum tells what happened, and holds that it was worth something.
func (p *play) sum() {
	for _, policy := range bridge.Policies {
		of := func(what string) int { return p.tally[string(policy)+" "+what] }
		say("%-18s %4d events: %4d matched, %3d skipped; %3d runs stopped",
			policy, of("events"), of("matched"), of("skipped"), of("stopped"))
	}
	say("%d restarts, %d kills; %d schedules with breaches", p.world.restarts.stops, p.world.restarts.kills, p.broken)
	if os.Getenv("FLOW_ONLY") != "" {
		return
	}
	for _, something := range []string{"skip skipped", "replace-pending skipped", "cancel-in-progress skipped", "cancel-in-progress stopped"} {
		if p.tally[something] == 0 {
			p.t.Errorf("no event of all was %s: the schedules are worth nothing", something)
		}
	}
}

// String is all that happened, for who has to find out why.
func (o outcome) String() string {
	var b strings.Builder
	for _, e := range o.events {
		r := o.results[e.hash]
		fmt.Fprintf(&b, "    %s event %s, %d on the bus, group %d: %s %s %s (%s)\n", e.sent.Format(clock), e.id, e.sequence, e.group, r.Verdict, r.Reason, r.Workflow, r.At.Local().Format(clock))
	}
	for _, c := range o.changes {
		fmt.Fprintf(&b, "    %s %s %s group %q done %t shutdown %q %s\n", c.at.Format(clock), c.kind, c.name, c.group, c.done, c.shutdown, c.reason)
	}
	return b.String()
}

const clock = "15:04:05.000"
