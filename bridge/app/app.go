// Package app builds the bridge from its options and runs it. It is the only package that knows all
// the others.
package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/cloudevents"
	"github.com/argo-bridge/argo-bridge/adapters/gcs"
	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/github/api"
	"github.com/argo-bridge/argo-bridge/adapters/github/sweep"
	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/workflow"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/admin"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/dispatch"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/history"
	"github.com/argo-bridge/argo-bridge/bridge/inflight"
	"github.com/argo-bridge/argo-bridge/bridge/intake"
	"github.com/argo-bridge/argo-bridge/bridge/leader"
	"github.com/argo-bridge/argo-bridge/bridge/ledger"
	"github.com/argo-bridge/argo-bridge/bridge/logs"
	"github.com/argo-bridge/argo-bridge/bridge/notify"
	"github.com/argo-bridge/argo-bridge/bridge/operate"
	"github.com/argo-bridge/argo-bridge/bridge/silences"
	"github.com/argo-bridge/argo-bridge/bridge/threads"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
	"github.com/argo-bridge/argo-bridge/bridge/watch"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// notifyWorkers is how many notifications are sent at once.
const notifyWorkers = 8

// Finders are the fact finders of all sources. app is the bridge's own GitHub App, zero for none; command is its slash
// command, empty for slack.DefaultCommand.
func Finders(app github.Identity, command string) []bridge.FactFinder {
	outside := []bridge.FactFinder{github.FactFinder{App: app}, gcs.FactFinder{}, slack.FactFinder{Command: command}}
	return append(outside, workflow.FactFinder{Root: func(e bridge.Event) (map[string]any, error) {
		return variablesOf(outside, e)
	}})
}

// Language is the annotation language with the parts of all sources.
func Language() workflowtemplates.Language {
	outside := []bridge.Dialect{github.Dialect(), gcs.Dialect(), slack.Dialect()}
	return workflowtemplates.Language{
		Dialects:  append(outside, workflow.Dialect(outside...)),
		Notifiers: []string{"slack", "github", "nats", "webhook"},
		Programs:  expression.NewPrograms(),
	}
}

// An App is the bridge: built by New, run once by Run.
type App struct {
	options  Options
	seams    Seams
	log      *zap.Logger
	metrics  *metrics
	secrets  secrets
	listener net.Listener

	bus       *bus.Bus
	catalog   *workflowtemplates.Catalog
	events    *workflowtemplates.Events
	ledger    *ledger.Ledger
	room      *waiting.Room
	tracker   *inflight.Tracker
	elector   *leader.Elector
	origins   *origins
	reporter  *notify.Reporter
	deliverer *notify.Deliverer
	watcher   *watch.Watcher
	dispatch  *dispatch.Dispatcher
	replayer  *history.Replayer
	admin     *admin.Server
	push      *gcs.Webhook
	github    *api.App // nil without a GitHub App
	inquirers map[string]bridge.Inquirer
	threads   threads.Book
	silences  silences.Book
	slack     slackParts
	tailer    *logs.Tailer
	operator  *operate.Operator
	sweeper   *sweep.Sweeper // nil without a GitHub App
}

// New validates the options, reads the secrets, listens, opens the bus and connects to Kubernetes. It
// starts nothing that takes or handles events.
func New(ctx context.Context, o Options, getenv func(string) string, log *zap.Logger) (*App, error) {
	return NewWithSeams(ctx, o, getenv, log, Seams{})
}

func open(ctx context.Context, o Options, getenv func(string) string, log *zap.Logger, seams Seams) (*App, error) {
	o = o.Defaults()
	o.Bus.Reserved = reserved().Types
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	a := &App{options: o, log: log, metrics: newMetrics(), seams: seams}
	var err error
	if a.secrets, err = loadSecrets(o, getenv); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if a.listener, err = net.Listen("tcp", o.HTTP.Listen); err != nil {
		return nil, fmt.Errorf("http.listen: %w", err)
	}
	if err := a.build(ctx); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// Address is the host:port of the HTTP server.
func (a *App) Address() string { return a.listener.Addr().String() }

// Close releases what New has opened; after Run it is not needed.
func (a *App) Close() {
	_ = a.listener.Close()
	if a.bus != nil {
		a.bus.Close()
	}
}

// Run starts all parts and blocks until ctx ends or a part fails; then it stops them in order.
func (a *App) Run(ctx context.Context) error {
	defer a.Close()
	l := newLifecycle(a.log)
	defer l.stop()
	l.start(stageBackground, "ledger", a.ledger.Run)
	l.start(stageBackground, "waiting", a.room.Run)
	l.start(stageBackground, "catalog", a.catalog.Run)
	l.start(stageBackground, "events", a.events.Run)
	l.start(stageBackground, "inflight", a.tracker.Run)
	l.start(stageBackground, "care", a.bus.Care)
	l.start(stageBackground, "bus", a.bus.Pulse)
	if a.slack.alerts != nil {
		l.start(stageNotify, "alerts", a.slack.alerts.Run)
	}
	l.start(stageNotify, "notify", func(ctx context.Context) error {
		return a.bus.ConsumeNotifications(ctx, notifyWorkers, a.deliverer.Handle)
	})
	handlers := a.webhooks()
	handlers["/api/"] = a.admin
	l.start(stageHTTP, "http", func(ctx context.Context) error {
		defer a.closeCommands()
		defer context.AfterFunc(ctx, a.admin.Close)()
		return serve(ctx, a.listener, routes(handlers, a.Ready, a.metrics.registry), a.part("http"))
	})
	a.log.Info("listening", zap.String("address", a.Address()))
	if err := a.startPull(ctx, l); err != nil {
		return err
	}
	l.start(stageWatch, "watch", a.watcher.Run)
	if err := a.waitForTemplates(ctx, l); err != nil {
		return err
	}
	if err := a.waitForWorkflows(ctx, l); err != nil {
		return err
	}
	l.start(stageDispatch, "dispatch", func(ctx context.Context) error {
		return a.bus.ConsumeEvents(ctx, a.options.Dispatch.Workers, through[bus.EventHandler](a.seams.Events, a.follow(a.dispatch.Handle)))
	})
	l.start(stageDispatch, "leader", func(ctx context.Context) error { return a.elector.Run(ctx, a.lead) })
	a.log.Info("serving")
	select {
	case <-ctx.Done():
		a.log.Info("stopping: finishing what has begun")
		return nil
	case err := <-l.failed:
		return err
	}
}

// waitForTemplates returns once all templates are known: until then nothing is consumed, nor judged by
// rules that are not there yet.
func (a *App) waitForTemplates(ctx context.Context, l *lifecycle) error {
	select {
	case <-a.catalog.Synced():
		c := count(a.catalog.View())
		a.log.Info("templates read", zap.Int("templates", c.templates), zap.Int("rules", c.rules), zap.Int("faulty", c.faulty))
		return nil
	case <-ctx.Done():
		return nil
	case err := <-l.failed:
		return err
	}
}

// waitForWorkflows returns once it is known which Workflows there are, and were while no bridge was there: an
// event whose handling was cut off may have made one already.
func (a *App) waitForWorkflows(ctx context.Context, l *lifecycle) error {
	for _, known := range []<-chan struct{}{a.watcher.CaughtUp(), a.tracker.Synced()} {
		select {
		case <-known:
		case <-ctx.Done():
			return nil
		case err := <-l.failed:
			return err
		}
	}
	return nil
}

// lead is what one replica does at a time: making the Workflows of rules that waited, and clearing up.
func (a *App) lead(ctx context.Context) {
	var parts sync.WaitGroup
	defer parts.Wait()
	if err := a.knowRuns(ctx); err != nil {
		return // no longer the leader
	}
	a.dispatch.Lead()
	parts.Go(func() { _ = a.room.Work(ctx, a.options.Dispatch.Workers, a.replayer.Work(a.dispatch.Work)) })
	parts.Go(func() { _ = a.bus.Trim(ctx, a.room.Sequences) })
	if a.sweeper != nil {
		parts.Go(func() { a.sweeper.Run(ctx) })
	}
}

// knowRuns makes sure that the runs which the leader before has made are counted.
func (a *App) knowRuns(ctx context.Context) error {
	for {
		err := a.tracker.Refresh(ctx)
		if err == nil {
			return nil
		}
		a.log.Warn("begin to lead; trying again", zap.Error(err))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// startPull starts the sources that fetch their events.
func (a *App) startPull(ctx context.Context, l *lifecycle) error {
	if socket := a.socket(); socket != nil {
		l.start(stagePull, "slack", socket.Run)
	}
	if a.options.GCS == nil || len(a.options.GCS.Subscriptions) == 0 {
		return nil
	}
	source, err := gcs.NewSource(ctx, *a.options.GCS, a.publisher(), gcs.SourceOptions{
		Now: a.seams.Now, Client: a.secrets.gcs, Observer: a.metrics, Logger: a.part("gcs"),
	})
	if err != nil {
		return fmt.Errorf("gcs: %w", err)
	}
	l.start(stagePull, "gcs", source.Run)
	return nil
}

// webhooks are the handlers of the sources that are set up, by path.
func (a *App) webhooks() map[string]http.Handler {
	all, limit := map[string]http.Handler{}, intake.NewLimiter(intake.Budget)
	if a.options.GitHub != nil {
		all["/webhooks/github"] = limit.Wrap(github.NewWebhook(a.secrets.github, a.publisher(),
			github.WebhookOptions{App: a.identity().ID, Now: a.seams.Now, Observer: a.metrics, Logger: a.part("github")}))
	}
	if a.push != nil {
		all["/webhooks/gcs"] = limit.Wrap(a.push)
	}
	a.slack.hooks(all, a.secrets.slack.Signing, limit)
	for path, handler := range cloudevents.Handlers(a.options.CloudEvents, a.secrets.events, cloudevents.Options{
		Reserved: reserved(), Publisher: a.publisher(), Observer: a.metrics, Logger: a.part("cloudevents"), Now: a.seams.Now,
	}) {
		all[path] = limit.Wrap(handler)
	}
	return all
}

// reserved are the types and sources of the bridge's own adapters: others need a special right to send such.
func reserved() cloudevents.Reserved {
	return cloudevents.Reserved{
		Types:   []string{"com.github.", "google.cloud.storage.", "com.slack.", workflow.TypePrefix},
		Sources: []string{"https://github.com/", "//storage.googleapis.com/", "//slack.com/", workflow.SourcePrefix},
	}
}

// publisher is where the sources put their events.
func (a *App) publisher() bridge.Publisher {
	return through[bridge.Publisher](a.seams.Publisher, a.bus)
}

func (a *App) closeCommands() {
	if a.slack.inbox != nil {
		a.slack.inbox.Close()
	}
}

// Ready says whether the bridge can do its work: the templates are known and the bus answers.
func (a *App) Ready(ctx context.Context) error {
	select {
	case <-a.catalog.Synced():
	default:
		return errors.New("the templates are not read yet: is the Kubernetes API reachable, and may the service account list workflowtemplates?")
	}
	return a.bus.Ready(ctx)
}

func (a *App) part(name string) *zap.Logger {
	return a.log.With(zap.String(bridge.LogComponent, name))
}
