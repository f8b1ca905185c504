// Package app builds the bridge from its options and runs it. It is the only package that knows all
// the others.
package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/dispatch"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/intake"
	"github.com/argo-bridge/argo-bridge/bridge/kube"
	"github.com/argo-bridge/argo-bridge/bridge/ledger"
	"github.com/argo-bridge/argo-bridge/bridge/notify"
	"github.com/argo-bridge/argo-bridge/bridge/submit"
	"github.com/argo-bridge/argo-bridge/bridge/watch"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// notifyWorkers is how many notifications are sent at once.
const notifyWorkers = 8

// Finders are the fact finders of all sources.
func Finders() []bridge.FactFinder {
	return []bridge.FactFinder{github.FactFinder{}, gcs.FactFinder{}, slack.FactFinder{}}
}

// Language is the annotation language with the parts of all sources.
func Language() workflowtemplates.Language {
	return workflowtemplates.Language{
		Dialects:  []bridge.Dialect{github.Dialect(), gcs.Dialect(), slack.Dialect()},
		Notifiers: []string{"slack"},
		Programs:  expression.NewPrograms(),
	}
}

// An App is the bridge: built by New, run once by Run.
type App struct {
	options  Options
	log      *zap.Logger
	metrics  *metrics
	secrets  secrets
	listener net.Listener

	bus       *bus.Bus
	catalog   *workflowtemplates.Catalog
	events    *workflowtemplates.Events
	ledger    *ledger.Ledger
	reporter  *notify.Reporter
	deliverer *notify.Deliverer
	watcher   *watch.Watcher
	dispatch  *dispatch.Dispatcher
	commands  *slack.Webhooks
}

// New validates the options, reads the secrets, listens, opens the bus and connects to Kubernetes. It
// starts nothing that takes or handles events.
func New(ctx context.Context, o Options, getenv func(string) string, log *zap.Logger) (*App, error) {
	o = o.Defaults()
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	a := &App{options: o, log: log, metrics: newMetrics()}
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

func (a *App) build(ctx context.Context) error {
	config, namespace, err := a.options.Kubernetes.REST()
	if err != nil {
		return err
	}
	if a.options.Namespace == "" {
		a.options.Namespace = namespace
	}
	dynamicClient, err := dynamic.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("kubernetes client: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("kubernetes client: %w", err)
	}
	argo, err := kube.Argo(config)
	if err != nil {
		return err
	}
	if a.bus, err = bus.Open(ctx, a.options.Bus, a.part("bus")); err != nil {
		return err
	}
	if err := a.buildCatalog(dynamicClient, client); err != nil {
		return err
	}
	return a.buildStages(ctx, dynamicClient, argo)
}

func (a *App) buildCatalog(dynamicClient dynamic.Interface, client kubernetes.Interface) error {
	access, err := a.access()
	if err != nil {
		return err
	}
	log := a.part("catalog")
	a.events = workflowtemplates.NewEvents(client, time.Now, func(t bridge.Template, err error) {
		log.Warn("report faults as a Kubernetes Event", zap.Stringer(bridge.LogTemplate, t), zap.Error(err))
	})
	a.catalog = workflowtemplates.NewCatalog(workflowtemplates.CatalogOptions{
		Client: dynamicClient, Namespace: a.scope(), Cluster: a.options.ClusterWide,
		Language: Language(), Access: access, Reporter: reporters{logReporter{log}, a.events},
	})
	return nil
}

func (a *App) buildStages(ctx context.Context, dynamicClient dynamic.Interface, argo rest.Interface) error {
	records, err := a.bus.Bucket(ctx, "LEDGER", a.options.Bus.MaxAge)
	if err != nil {
		return err
	}
	outbox, err := a.bus.Bucket(ctx, "OUTBOX", a.options.Bus.MaxAge)
	if err != nil {
		return err
	}
	state, err := a.bus.Bucket(ctx, "STATE", 0)
	if err != nil {
		return err
	}
	a.ledger = ledger.New(records, a.options.Bus.MaxAge, a.part("ledger"))
	a.reporter = &notify.Reporter{
		Routes: routesOf{a.catalog}, Queue: a.bus, History: &notify.History{Table: state},
		Origins: &origins{bus: a.bus, ledger: a.ledger, finders: Finders(), log: a.part("notify")},
		UI:      a.options.Argo.UI, Log: a.part("notify"), Now: time.Now,
	}
	a.deliverer = &notify.Deliverer{
		Notifiers: a.notifiers(), Outbox: outbox, Observer: a.metrics, Log: a.part("notify"), Now: time.Now,
	}
	a.watcher = watch.New(dynamicClient, a.scope(), a.reporter, &watermark{state}, a.part("watch"))
	a.dispatch = &dispatch.Dispatcher{
		Finders: Finders(), Rules: rulesOf{a.catalog}, Ledger: a.ledger, Submitter: submit.NewKubernetes(argo),
		Rejections: a.reporter, Observer: a.metrics, ClusterNamespace: a.options.Namespace, Log: a.part("dispatch"),
	}
	a.metrics.watchBus(a.bus)
	a.metrics.watchTemplates(a.catalog)
	return nil
}

func (a *App) notifiers() map[string]bridge.Notifier {
	all := map[string]bridge.Notifier{}
	if a.secrets.slack.Token != "" {
		all["slack"] = slack.NewNotifier(a.secrets.slack.Token, slack.NotifierOptions{APIURL: a.options.Slack.APIURL})
	}
	return all
}

// Run starts all parts and blocks until ctx ends or a part fails; then it stops them in order.
func (a *App) Run(ctx context.Context) error {
	defer a.Close()
	l := newLifecycle(a.log)
	defer l.stop()
	l.start(stageBackground, "ledger", a.ledger.Run)
	l.start(stageBackground, "catalog", a.catalog.Run)
	l.start(stageBackground, "events", a.events.Run)
	l.start(stageBackground, "trim", a.bus.Trim)
	l.start(stageNotify, "notify", func(ctx context.Context) error {
		return a.bus.ConsumeNotifications(ctx, notifyWorkers, a.deliverer.Handle)
	})
	webhooks := a.webhooks()
	l.start(stageHTTP, "http", func(ctx context.Context) error {
		defer a.closeCommands()
		return serve(ctx, a.listener, routes(webhooks, a.Ready, a.metrics.registry), a.part("http"))
	})
	a.log.Info("listening", zap.String("address", a.Address()))
	if err := a.startPull(ctx, l); err != nil {
		return err
	}
	if err := a.waitForTemplates(ctx, l); err != nil {
		return err
	}
	l.start(stageWatch, "watch", a.watcher.Run)
	l.start(stageDispatch, "dispatch", func(ctx context.Context) error {
		return a.bus.ConsumeEvents(ctx, a.options.Dispatch.Workers, a.dispatch.Handle)
	})
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

// startPull starts the sources that fetch their events.
func (a *App) startPull(ctx context.Context, l *lifecycle) error {
	if a.options.GCS == nil {
		return nil
	}
	source, err := gcs.NewSource(ctx, *a.options.GCS, a.bus, gcs.SourceOptions{
		Client: a.secrets.gcs, Observer: a.metrics, Logger: a.part("gcs"),
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
		all["/webhooks/github"] = limit.Wrap(github.NewWebhook(a.secrets.github, a.bus,
			github.WebhookOptions{Observer: a.metrics, Logger: a.part("github")}))
	}
	if a.options.Slack != nil {
		a.commands = slack.NewWebhooks(a.secrets.slack.Signing, a.bus, slack.WebhookOptions{
			Observer: a.metrics, Logger: a.part("slack"), Answers: a.ledger, Link: a.link,
		})
		all["/webhooks/slack/events"] = limit.Wrap(a.commands.Events())
		all["/webhooks/slack/commands"] = limit.Wrap(a.commands.Commands())
		all["/webhooks/slack/interactions"] = limit.Wrap(a.commands.Interactions())
	}
	return all
}

func (a *App) closeCommands() {
	if a.commands != nil {
		a.commands.Close()
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
