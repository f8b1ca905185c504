package app

import (
	"context"
	"fmt"

	"go.uber.org/zap"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
	"github.com/argo-bridge/argo-bridge/adapters/github/checks"
	"github.com/argo-bridge/argo-bridge/adapters/nats"
	"github.com/argo-bridge/argo-bridge/adapters/webhook"
	"github.com/argo-bridge/argo-bridge/adapters/workflow"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/admin"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/dispatch"
	"github.com/argo-bridge/argo-bridge/bridge/history"
	"github.com/argo-bridge/argo-bridge/bridge/inflight"
	"github.com/argo-bridge/argo-bridge/bridge/kube"
	"github.com/argo-bridge/argo-bridge/bridge/layout"
	"github.com/argo-bridge/argo-bridge/bridge/leader"
	"github.com/argo-bridge/argo-bridge/bridge/ledger"
	"github.com/argo-bridge/argo-bridge/bridge/logs"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/bridge/notify"
	"github.com/argo-bridge/argo-bridge/bridge/operate"
	"github.com/argo-bridge/argo-bridge/bridge/silences"
	"github.com/argo-bridge/argo-bridge/bridge/submit"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
	"github.com/argo-bridge/argo-bridge/bridge/watch"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// clients are the ways to the API server.
type clients struct {
	dynamic    dynamic.Interface
	kubernetes kubernetes.Interface
	metadata   metadata.Interface
	argo       rest.Interface
}

func newClients(config *rest.Config) (c clients, err error) {
	if c.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return c, fmt.Errorf("kubernetes client: %w", err)
	}
	if c.kubernetes, err = kubernetes.NewForConfig(config); err != nil {
		return c, fmt.Errorf("kubernetes client: %w", err)
	}
	if c.metadata, err = metadata.NewForConfig(config); err != nil {
		return c, fmt.Errorf("kubernetes client: %w", err)
	}
	c.argo, err = kube.Argo(config)
	return c, err
}

func (a *App) build(ctx context.Context) error {
	config, namespace, err := a.options.Kubernetes.REST()
	if err != nil {
		return err
	}
	if a.options.Namespace == "" {
		a.options.Namespace = namespace
	}
	c, err := newClients(config)
	if err != nil {
		return err
	}
	if a.bus, err = bus.Open(ctx, a.options.Bus, a.part("bus")); err != nil {
		return err
	}
	tables, err := openTables(ctx, a.bus, a.options.Bus)
	if err != nil {
		return err
	}
	access, err := a.access()
	if err != nil {
		return err
	}
	a.buildCatalog(c, access)
	a.buildElector(c)
	a.silences = silences.Book{Table: tables.silences, Now: a.seams.Now}
	if err := a.buildGitHub(tables); err != nil {
		return err
	}
	a.operator = operate.New(c.argo, c.kubernetes.CoreV1(), a.seams.Now)
	a.buildSlack(tables, access)
	a.buildNotify(c, tables)
	a.buildDispatch(c, tables)
	a.buildOrders(tables, access)
	a.buildInbox()
	a.sweeper = a.buildSweep(tables)
	if err := a.buildAdmin(c, tables); err != nil {
		return err
	}
	if err := a.buildPush(); err != nil {
		return err
	}
	a.metrics.watchBus(a.bus)
	a.metrics.watchTemplates(a.catalog)
	a.metrics.watchFlow(a.room, a.tracker, a.elector)
	return nil
}

func (a *App) buildCatalog(c clients, access match.Access) {
	log := a.part("catalog")
	a.events = workflowtemplates.NewEvents(c.kubernetes, a.seams.Now, func(t bridge.Template, err error) {
		log.Warn("report faults as a Kubernetes Event", zap.Stringer(bridge.LogTemplate, t), zap.Error(err))
	})
	a.catalog = workflowtemplates.NewCatalog(workflowtemplates.CatalogOptions{
		Client: c.dynamic, Namespace: a.scope(), Cluster: a.options.ClusterWide,
		Language: Language(), Access: access, Reporter: reporters{logReporter{log}, a.events},
	})
}

// buildElector makes every process the leader that has the bus to itself.
func (a *App) buildElector(c clients) {
	a.elector = &leader.Elector{Namespace: a.options.Namespace, Log: a.part("leader")}
	if a.bus.External() {
		a.elector.Client = c.kubernetes
	}
}

func (a *App) buildNotify(c clients, t tables) {
	a.ledger = ledger.New(t.ledger, a.options.Bus.RecordAge(), a.part("ledger"))
	a.origins = &origins{
		bus: a.bus, ledger: a.ledger, finders: Finders(a.identity(), a.command()), rules: rulesOf{a.catalog}, log: a.part("notify"),
	}
	a.reporter = &notify.Reporter{
		Routes: routesOf{a.catalog}, Runs: t.runs, Queue: through[notify.Queue](a.seams.Queue, a.bus), History: &notify.History{Table: t.state},
		Origins: a.origins, Layouts: &layout.ConfigMaps{Client: c.kubernetes.CoreV1(), Now: a.seams.Now}, UI: a.options.Argo.UI, Slack: a.slack.alerts != nil, Log: a.part("notify"), Now: a.seams.Now,
	}
	a.tailer = &logs.Tailer{Pods: c.kubernetes.CoreV1(), Log: a.part("logs")}
	a.deliverer = &notify.Deliverer{
		Notifiers: a.notifiers(t), Outbox: through[notify.Table](a.seams.Outbox, t.outbox),
		Observer: a.metrics, Addresses: a.origins, Details: a.tailer, Failed: a.undelivered,
		Log: a.part("notify"), Now: a.seams.Now,
	}
}

// buildAdmin makes what tells people of past events, and replays them.
func (a *App) buildAdmin(c clients, t tables) error {
	auth, err := admin.NewAuthenticator(a.options.Admin, c.kubernetes, a.options.Namespace)
	if err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	past := &history.History{Bus: a.bus, Ledger: t.ledger, Runs: t.runs, Outbox: t.outbox}
	a.replayer = &history.Replayer{History: past, Dispatcher: a.dispatch}
	a.admin = admin.New(past, a.replayer, a.silences, auth, a.part("admin"))
	return nil
}

// buildPush makes what takes the messages of Pub/Sub's push subscriptions, when the config asks for it.
func (a *App) buildPush() (err error) {
	if a.options.GCS == nil || a.options.GCS.Push == nil {
		return nil
	}
	a.push, err = gcs.NewWebhook(*a.options.GCS.Push, a.publisher(),
		gcs.WebhookOptions{Now: a.seams.Now, Observer: a.metrics, Logger: a.part("gcs")})
	if err != nil {
		return fmt.Errorf("gcs: %w", err)
	}
	return nil
}

func (a *App) notifiers(t tables) map[string]bridge.Notifier {
	all := map[string]bridge.Notifier{
		"webhook": webhook.NewNotifier(a.secrets.webhooks, webhook.Options{Now: a.seams.Now}),
		"nats":    nats.NewNotifier(a.options.NATS, a.bus),
	}
	if a.slack.alerts != nil {
		all["slack"] = through[bridge.Notifier](a.seams.Notifier, slackNotifier{a.slack.alerts, a.slack.progress})
	}
	if a.github != nil {
		all["github"] = checks.New(checks.Options{
			Clients: a.github, Register: register{t.checks}, AppID: a.identity().ID, Log: a.part("github"), Now: a.seams.Now,
		})
	}
	return all
}

// buildEnds makes what hears of runs: those who wait for their ends, and those who are told.
func (a *App) buildEnds() watch.Handler {
	return ends{a.reporter, &workflow.Source{
		Rules: wants{a.catalog}, Starts: a.origins, Publisher: a.publisher(), Observer: a.metrics, Log: a.part("workflow"),
	}}
}

func (a *App) buildDispatch(c clients, t tables) {
	a.room = waiting.New(through[waiting.Table](a.seams.Waiting, t.waiting), a.part("waiting"), a.seams.Now)
	a.tracker = inflight.New(c.metadata, a.scope(), a.room.Freed, a.seams.Now)
	a.watcher = watch.New(watch.Options{
		Client: c.dynamic, Namespace: a.scope(), Handler: a.buildEnds(), Watermark: &watermark{t.state}, Ready: a.catalog.Synced(),
		Saw: a.tracker.See, Log: a.part("watch"), Now: a.seams.Now,
	})
	submitter := submit.NewKubernetes(c.argo)
	gate := &inflight.Gate{Tracker: a.tracker, Limits: a.options.Limits.Limits}
	if a.bus.External() {
		gate.Margin = a.options.Dispatch.Workers
	}
	a.dispatch = &dispatch.Dispatcher{
		Finders: Finders(a.identity(), a.command()), Rules: rulesOf{a.catalog}, Ledger: through[dispatch.Ledger](a.seams.Ledger, a.ledger),
		Events: a.bus, Room: a.room, Gate: gate,
		Submitter: through[bridge.Submitter](a.seams.Submitter, submitter), Validator: submitter, Stopper: submitter,
		State: through[dispatch.Table](a.seams.State, t.state), Latest: t.latest, Leads: a.elector.Held,
		Herald: a.reporter, Inquirers: a.inquirers, Threads: a.threads, Observer: a.metrics, ClusterNamespace: a.options.Namespace, MaxDepth: a.options.Limits.ChainDepth,
		Log: a.part("dispatch"), Now: a.seams.Now,
	}
}
