package orders

import (
	"context"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// approve lets what is held for want of trust start, of the events about the one commit that the person has read.
func (x *errand) approve(ctx context.Context) error {
	posts, err := x.Threads.Posts(ctx, x.facts.Thread)
	if err != nil {
		return err
	}
	commits := map[string]bool{}
	for _, p := range posts {
		if !p.Command && strings.HasPrefix(p.Commit, x.order.Commit) {
			commits[p.Commit] = true
		}
	}
	if len(commits) > 1 { // seven digits can be had at will: the second commit may be made to look like the one that was read
		x.refused = append(x.refused, "several commits here begin with "+x.order.Commit+": write all digits of the one that you have read")
		return nil
	}
	for _, p := range posts {
		if !commits[p.Commit] || p.Command {
			continue
		}
		if err := x.each(ctx, p.Event, func(ctx context.Context, record bridge.Record, r bridge.Result) error {
			ours := r.Approved == x.facts.Actor // by this order, before a crash
			if r.Verdict != bridge.Held && !ours {
				return nil
			}
			return x.release(ctx, record, r, p)
		}); err != nil {
			return err
		}
	}
	if len(commits) == 0 {
		x.refused = append(x.refused, "no event here is about the commit "+x.order.Commit+newest(posts))
	}
	return nil
}

func (x *errand) release(ctx context.Context, record bridge.Record, r bridge.Result, p bridge.Post) error {
	if ok, err := x.may(ctx, r); err != nil || !ok {
		return err
	}
	// The approval first: later events about the same commit need it too.
	if err := x.Threads.Approve(ctx, x.facts.Thread, p.Commit, x.facts.Actor); err != nil {
		return err
	}
	if err := x.Dispatcher.Release(ctx, record.Hash(), r, x.facts.Actor); err != nil {
		return err
	}
	x.done = append(x.done, name(r)+": approved")
	return nil
}

// newest says which commit there is to approve.
func newest(posts []bridge.Post) string {
	for _, p := range posts {
		if !p.Command && p.Commit != "" {
			return "; the newest is " + p.Commit
		}
	}
	return ""
}

// retest starts anew what has failed of the newest commit; test starts a template whatever became of it.
func (x *errand) retest(ctx context.Context) error {
	posts, err := x.Threads.Posts(ctx, x.facts.Thread)
	if err != nil {
		return err
	}
	looked := map[string]bool{}
	for _, p := range ofNewestCommit(posts) {
		record, known, err := x.Dispatcher.Find(ctx, p.Event)
		if err != nil {
			return err
		}
		if !known {
			continue
		}
		if x.order.Act == bridge.Retest {
			err = x.again(ctx, record, looked)
		} else if err = x.replay(ctx, record, x.order.Template, ""); len(x.done)+len(x.refused) > 0 {
			return err // an older event about the same commit would start the same
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ofNewestCommit are the events about the commit that the newest is about, the newest first.
func ofNewestCommit(posts []bridge.Post) (about []bridge.Post) {
	commit := ""
	for _, p := range posts {
		if p.Command || p.Commit == "" {
			continue
		}
		if commit == "" {
			commit = p.Commit
		}
		if p.Commit == commit {
			about = append(about, p)
		}
	}
	return about
}

// again starts what the last attempt of each rule has not brought to a good end. looked are the rules that a newer event
// about the same commit has settled.
func (x *errand) again(ctx context.Context, record bridge.Record, looked map[string]bool) error {
	last := map[string]bridge.Result{}
	var order []string
	for _, r := range record.Results {
		key := r.Template + "/" + r.Rule
		if r.Template == bridge.OrderTemplate || !bridge.Named(x.order.Template, r.Template) || r.Verdict == bridge.Filtered || looked[key] {
			continue
		}
		if _, known := last[key]; !known {
			order = append(order, key)
		}
		last[key] = r // a later replay stands behind
	}
	for _, key := range order {
		looked[key] = true
		failed, err := x.failed(ctx, record, last[key])
		if err != nil {
			return err
		}
		if !failed {
			continue
		}
		if err := x.replay(ctx, record, last[key].Template, last[key].Rule); err != nil {
			return err
		}
	}
	return nil
}

// failed says that a result is not what people wanted of it.
func (x *errand) failed(ctx context.Context, record bridge.Record, r bridge.Result) (bool, error) {
	switch r.Verdict {
	case bridge.Rejected, bridge.Parked, bridge.Held:
		return true, nil
	case bridge.Waiting:
		return r.Replay == x.replayID(), nil // by this order, before a crash
	case bridge.Matched:
		phase, err := x.Runs.Phase(ctx, record.Hash(), r.Workflow)
		return phase == "Failed" || phase == "Error" || r.Replay == x.replayID(), err
	}
	return false, nil
}

// cancel stops what goes on, and takes back what waits.
func (x *errand) cancel(ctx context.Context) error {
	posts, err := x.Threads.Posts(ctx, x.facts.Thread)
	if err != nil {
		return err
	}
	for _, p := range posts {
		if err := x.each(ctx, p.Event, x.end); err != nil {
			return err
		}
	}
	return nil
}

// end stops one run, or what was to become one.
func (x *errand) end(ctx context.Context, record bridge.Record, r bridge.Result) error {
	why := "by order of " + x.facts.Actor + ": " + x.order.Word
	switch r.Verdict {
	case bridge.Waiting, bridge.Held:
		if ok, err := x.may(ctx, r); err != nil || !ok {
			return err
		}
		if err := x.Dispatcher.Withdraw(ctx, record.Hash(), r, why); err != nil {
			return err
		}
		x.done = append(x.done, name(r)+": taken back")
	case bridge.Matched:
		phase, err := x.Runs.Phase(ctx, record.Hash(), r.Workflow)
		if err != nil || phase == "Succeeded" || phase == "Failed" || phase == "Error" {
			return err
		}
		if ok, err := x.may(ctx, r); err != nil || !ok {
			return err
		}
		if err := x.Dispatcher.StopRun(ctx, r.Workflow, why); err != nil {
			return err
		}
		x.done = append(x.done, name(r)+": stopped")
	}
	return nil
}

// named starts anew, or stops, the runs that the order names: by their keys, or all those of a commit.
func (x *errand) named(ctx context.Context) error {
	hashes := map[string]bool{}
	for _, key := range x.order.Runs {
		hash, _, _ := strings.Cut(key, ".")
		hashes[hash] = bridge.IsHash(hash)
	}
	if len(x.order.Runs) == 0 && x.order.Commit != "" {
		posts, err := x.Threads.Posts(ctx, x.order.Commit)
		if err != nil {
			return err
		}
		for _, p := range posts {
			hashes[p.Event] = true
		}
	}
	for hash, valid := range hashes {
		if !valid {
			continue
		}
		if err := x.each(ctx, hash, x.one); err != nil {
			return err
		}
	}
	return nil
}

func (x *errand) one(ctx context.Context, record bridge.Record, r bridge.Result) error {
	if len(x.order.Runs) > 0 && !x.names(record, r) || len(x.order.Runs) == 0 && r.Replay != "" {
		return nil
	}
	switch x.order.Act {
	case bridge.Stop:
		return x.end(ctx, record, r)
	case bridge.Rerun:
		if r.Verdict == bridge.Filtered {
			return nil
		}
		return x.replay(ctx, record, r.Template, r.Rule)
	}
	return nil
}

func (x *errand) names(record bridge.Record, r bridge.Result) bool {
	key := bridge.RunKey(record.Hash(), bridge.ParseTemplate(r.Template), r.Rule, r.Replay)
	for _, named := range x.order.Runs {
		if named == key {
			return true
		}
	}
	return false
}
