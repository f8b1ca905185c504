package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/github/api"
	"github.com/argo-bridge/argo-bridge/adapters/github/sweep"
	"github.com/argo-bridge/argo-bridge/adapters/slack/desk"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/bridge/notify"
	"github.com/argo-bridge/argo-bridge/bridge/operate"
	"github.com/argo-bridge/argo-bridge/bridge/orders"
	"github.com/argo-bridge/argo-bridge/bridge/threads"
)

var (
	_ notify.Addresses = (*origins)(nil)
	_ orders.Runs      = runsOf{}
	_ orders.Operator  = (*operate.Operator)(nil)
	_ bridge.Register  = register{}
)

// identity is the bridge's own GitHub App; zero without one.
func (a *App) identity() github.Identity {
	if a.options.GitHub == nil || a.options.GitHub.App == nil {
		return github.Identity{}
	}
	return github.Identity{ID: a.options.GitHub.App.ID, Slug: a.options.GitHub.App.Slug}
}

// command is the bridge's own slash command; empty for the usual one.
func (a *App) command() string {
	if a.options.Slack == nil {
		return ""
	}
	return a.options.Slack.Command
}

// mute is an inquirer without an App: it answers nothing, so that what the payload does not say stays unknown, and trusts
// only those whom it is told to.
type mute struct{ bridge.Inquirer }

func (mute) Supply(_ context.Context, _ bridge.Event, f bridge.Facts, questions []string) (bridge.Facts, error) {
	f.Asks = maps.Clone(f.Asks)
	maps.DeleteFunc(f.Asks, func(_, question string) bool {
		for _, asked := range questions {
			if asked == question {
				return true
			}
		}
		return false
	})
	return f, nil
}

// Address implements notify.Addresses: a run's labels say which event it is of, and the event's record whether it has
// started that run.
func (o *origins) Address(ctx context.Context, run bridge.Run) (address string, known bool, err error) {
	hash := run.Labels[bridge.LabelEvent]
	if !bridge.IsHash(hash) {
		return "", true, nil
	}
	record, found, err := o.ledger.Find(ctx, hash)
	if err != nil || !found {
		return "", false, err
	}
	r, decided := record.Result(run.Template, run.Rule, run.Annotations[bridge.AnnotationReplay])
	if !decided || r.Workflow != run.Namespace+"/"+run.Name {
		return "", false, nil
	}
	return record.ReplyTo, true, nil
}

// runsOf knows how runs stand, from the table that the reporter keeps.
type runsOf struct{ table *bus.Bucket }

func (r runsOf) Phase(ctx context.Context, hash, workflow string) (phase string, err error) {
	entries, err := r.table.List(ctx, notify.RunsOf(hash))
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if run, err := notify.DecodeRun(e); err == nil && run.Workflow == workflow {
			phase = run.Phase
		}
	}
	return phase, nil
}

// register keeps the states of adapters in a bucket.
type register struct{ table *bus.Bucket }

func (r register) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	entry, _, err := r.table.Get(ctx, key)
	return entry.Value, entry.Revision, err
}

func (r register) Store(ctx context.Context, key string, state []byte, revision uint64) error {
	err := r.table.Update(ctx, key, state, revision)
	if errors.Is(err, bus.ErrConflict) {
		return bridge.ErrStale
	}
	return err
}

func (r register) List(ctx context.Context, prefix string) (map[string][]byte, error) {
	entries, err := r.table.List(ctx, prefix+">")
	if err != nil {
		return nil, err
	}
	all := make(map[string][]byte, len(entries))
	for _, e := range entries {
		all[e.Key] = e.Value
	}
	return all, nil
}

// buildGitHub makes what asks GitHub.
func (a *App) buildGitHub(t tables) error {
	a.threads = threads.Book{Table: t.threads}
	a.inquirers = map[string]bridge.Inquirer{}
	if a.options.GitHub == nil {
		return nil
	}
	config := *a.options.GitHub
	if config.App != nil {
		app, err := api.New(api.Options{
			AppID: config.App.ID, Key: a.secrets.githubKey, BaseURL: config.BaseURL, Log: a.part("github"), Now: a.seams.Now, Observer: a.metrics,
		})
		if err != nil {
			return fmt.Errorf("github.app: %w", err)
		}
		a.github = app
	}
	answers := api.NewAnswers(api.AnswersOptions{
		App: a.github, RunBeyond: config.RunsBeyond(), Trust: config.Trust.Rule(), Log: a.part("github"), Now: a.seams.Now, Observer: a.metrics,
	})
	a.inquirers["github"] = answers
	if a.github == nil {
		a.inquirers["github"] = mute{answers}
	}
	return nil
}

// buildOrders makes the clerk, who needs the dispatcher as the dispatcher needs the clerk.
func (a *App) buildOrders(t tables, access match.Access) {
	clerk := &orders.Clerk{
		Dispatcher: a.dispatch, Threads: a.threads, Runs: runsOf{t.runs}, Operator: a.operator, Now: a.seams.Now,
		Wardens: map[string]bridge.Warden{}, Templates: templatesOf{a.catalog}, Silences: a.silences, Access: access,
	}
	if a.slack.warden != nil {
		clerk.Wardens["slack"], clerk.Names = a.slack.warden, desk.Names{Finder: a.slack.finder}
	}
	a.dispatch.Orders = clerk
}

// follow hears of what becomes of the App's installations, and then hands the event on. Other replicas find out when
// GitHub refuses them a token.
func (a *App) follow(next bus.EventHandler) bus.EventHandler {
	if a.github == nil {
		return next
	}
	return func(ctx context.Context, e bridge.Event, d bus.Delivery) error {
		if strings.HasPrefix(e.Type, "com.github.installation") {
			a.installation(e)
		}
		return next(ctx, e, d)
	}
}

func (a *App) installation(e bridge.Event) {
	var body struct {
		Action       string
		Installation struct {
			ID      int64
			Account struct{ Login string }
		}
	}
	if err := json.Unmarshal(e.Data, &body); err != nil || body.Installation.ID == 0 {
		return
	}
	switch body.Action {
	case "deleted", "suspend":
		a.github.Suspend(body.Installation.ID)
	default:
		a.github.Forget(body.Installation.ID)
	}
	a.part("github").Info("the App's installation has changed", zap.String("account", body.Installation.Account.Login),
		zap.String(bridge.LogEventType, e.Type), zap.Int64("installation", body.Installation.ID))
}

// buildSweep makes the search for deliveries that did not arrive; nil where there is none.
func (a *App) buildSweep(t tables) *sweep.Sweeper {
	if a.github == nil || a.options.GitHub.Sweep.Disabled {
		return nil
	}
	window := sweep.Window
	if a.options.GitHub.BaseURL != "" {
		window = sweep.EnterpriseWindow
	}
	return sweep.New(sweep.Options{
		Deliveries: a.github.JWT().Apps, Register: register{t.state}, Known: a.knows, Window: window,
		Every: a.options.GitHub.Sweep.Interval(), Now: a.seams.Now, Log: a.part("sweep"), Observer: a.metrics,
	})
}

// knows says whether an event has arrived.
func (a *App) knows(ctx context.Context, e bridge.Event) (bool, error) {
	if _, known, err := a.ledger.Find(ctx, e.Hash()); err != nil || known {
		return known, err
	}
	_, there, err := a.bus.Unsettled(ctx, e.Hash())
	return there, err
}
