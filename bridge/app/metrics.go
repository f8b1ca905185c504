package app

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/inflight"
	"github.com/argo-bridge/argo-bridge/bridge/leader"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// metrics are the bridge's Prometheus metrics; they implement the observers of the stages.
type metrics struct {
	registry      *prometheus.Registry
	received      *prometheus.CounterVec
	refused       *prometheus.CounterVec
	store         *prometheus.HistogramVec
	decisions     *prometheus.CounterVec
	duplicates    prometheus.Counter
	submitted     *prometheus.CounterVec
	submitFailed  *prometheus.CounterVec
	submit        *prometheus.HistogramVec
	toWorkflow    *prometheus.HistogramVec
	notifications *prometheus.CounterVec
	notify        *prometheus.HistogramVec
	githubLeft    *prometheus.GaugeVec
	githubBeyond  prometheus.Counter
	recovered     prometheus.Counter
	gaveUp        *prometheus.CounterVec
	slackWrites   *prometheus.CounterVec
}

// Recovered and GaveUp implement the observer of adapters/github/sweep.
func (m *metrics) Recovered(n int) { m.recovered.Add(float64(n)) }

func (m *metrics) GaveUp(reason string) { m.gaveUp.WithLabelValues(reason).Inc() }

// RateLimit and BeyondLimits implement the observer of adapters/github/api.
func (m *metrics) RateLimit(installation int64, remaining, _ int, _ time.Time) {
	m.githubLeft.WithLabelValues(strconv.FormatInt(installation, 10)).Set(float64(remaining))
}

func (m *metrics) BeyondLimits() { m.githubBeyond.Inc() }

func newMetrics() *metrics {
	registry := prometheus.NewRegistry()
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "argo_bridge_" + name, Help: help}, labels)
		registry.MustRegister(c)
		return c
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "argo_bridge_" + name, Help: help, Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 12),
		}, labels)
		registry.MustRegister(h)
		return h
	}
	m := &metrics{
		registry:      registry,
		received:      counter("events_received_total", "Events stored on the bus.", "source", "type"),
		refused:       counter("events_refused_total", "Requests and messages that were not taken.", "source", "reason"),
		store:         histogram("event_store_seconds", "Time from an event's arrival to the bus's acknowledgement.", "source"),
		decisions:     counter("decisions_total", "Decisions on rules that an event may have started.", "decision", "reason"),
		submitted:     counter("workflows_submitted_total", "Workflows made (or found made) for an event and rule.", "source"),
		submitFailed:  counter("submit_failures_total", "Failed attempts to make a Workflow.", "source", "kind"),
		submit:        histogram("submit_seconds", "Time of one submission.", "source"),
		toWorkflow:    histogram("event_to_workflow_seconds", "Time from storing an event to its Workflow.", "source"),
		notifications: counter("notifications_total", "Attempts to deliver a notification.", "destination", "result"),
		notify:        histogram("notification_seconds", "Time from a notification's making to its delivery.", "destination"),
		duplicates: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "argo_bridge_duplicates_total", Help: "Events that the ledger knew as handled.",
		}),
	}
	m.githubLeft = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "argo_bridge_github_requests_left", Help: "Requests that GitHub lets the bridge make before its limit is renewed, by installation; 0: the App itself.",
	}, []string{"installation"})
	m.githubBeyond = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "argo_bridge_github_beyond_limits_total", Help: "Changes of more files than GitHub tells.",
	})
	m.recovered = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "argo_bridge_github_deliveries_recovered_total", Help: "Deliveries of GitHub's that had failed, and arrived when they were asked for again.",
	})
	m.slackWrites = counter("slack_writes_total", "What Slack was told: post, update, reply; and paused, when it has asked for a pause.", "what")
	m.gaveUp = counter("github_deliveries_given_up_total", "Failed deliveries of GitHub's that are not asked for again.", "reason")
	registry.MustRegister(m.githubLeft, m.githubBeyond, m.recovered)
	registry.MustRegister(m.duplicates, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watchBus adds the state of the event stream, asked for at each scrape.
func (m *metrics) watchBus(b *bus.Bus) {
	gauge := func(name, help string, read func(bus.Lag) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "argo_bridge_" + name, Help: help},
			func() float64 {
				ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
				defer cancel()
				lag, err := b.Lag(ctx)
				if err != nil {
					return -1
				}
				return read(lag)
			}))
	}
	gauge("stream_pending", "Events not yet handed to a dispatcher; -1: the bus does not answer.",
		func(l bus.Lag) float64 { return float64(l.Pending) })
	gauge("stream_in_flight", "Events being handled or waiting for a retry; -1: the bus does not answer.",
		func(l bus.Lag) float64 { return float64(l.InFlight) })
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "argo_bridge_bus_repairs_total", Help: "Streams, buckets and consumers that were made anew or put right.",
	}, func() float64 { return float64(b.Repairs()) }))
	gauge("stream_bytes", "Size of the event stream; -1: the bus does not answer.",
		func(l bus.Lag) float64 { return float64(l.Bytes) })
}

// watchFlow adds what waits, and what is in flight.
func (m *metrics) watchFlow(room *waiting.Room, tracker *inflight.Tracker, elector *leader.Elector) {
	gauge := func(name, help string, read func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "argo_bridge_" + name, Help: help}, read))
	}
	gauge("waiting_rules", "Rules of events that wait for a limit, or for a failure to pass.",
		func() float64 { return float64(room.Len()) })
	gauge("workflows_in_flight", "The bridge's Workflows that have not ended.", func() float64 {
		_, all := tracker.Count(bridge.Template{})
		return float64(all)
	})
	gauge("leader", "1 while this replica works on what waits, and clears up.", func() float64 {
		if elector.Leads() {
			return 1
		}
		return 0
	})
}

// watchTemplates adds what the catalog holds.
func (m *metrics) watchTemplates(catalog *workflowtemplates.Catalog) {
	gauge := func(name, help string, read func(viewCount) int) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "argo_bridge_" + name, Help: help},
			func() float64 { return float64(read(count(catalog.View()))) }))
	}
	gauge("templates", "Annotated templates.", func(c viewCount) int { return c.templates })
	gauge("rules", "Rules that may start something.", func(c viewCount) int { return c.rules })
	gauge("faulty_templates", "Templates with a rule that a fault keeps from being started.",
		func(c viewCount) int { return c.faulty })
}

// Received implements bridge.Observer.
func (m *metrics) Received(source, eventType string, took time.Duration) {
	m.received.WithLabelValues(source, eventType).Inc()
	m.store.WithLabelValues(source).Observe(took.Seconds())
}

// Refused implements bridge.Observer.
func (m *metrics) Refused(source, reason string) { m.refused.WithLabelValues(source, reason).Inc() }

// Decided implements dispatch.Observer.
func (m *metrics) Decided(d bridge.Decision) {
	m.decisions.WithLabelValues(string(d.Verdict), string(d.Reason)).Inc()
}

// Duplicate implements dispatch.Observer.
func (m *metrics) Duplicate() { m.duplicates.Inc() }

// painted counts what Slack was told.
func (m *metrics) painted(what string) { m.slackWrites.WithLabelValues(what).Inc() }

// Submitted implements dispatch.Observer.
func (m *metrics) Submitted(source string, took, sinceStored time.Duration) {
	m.submitted.WithLabelValues(source).Inc()
	m.submit.WithLabelValues(source).Observe(took.Seconds())
	m.toWorkflow.WithLabelValues(source).Observe(sinceStored.Seconds())
}

// SubmitFailed implements dispatch.Observer.
func (m *metrics) SubmitFailed(source, kind string) {
	m.submitFailed.WithLabelValues(source, kind).Inc()
}

// Delivered implements notify.Observer.
func (m *metrics) Delivered(scheme, result string, sinceCreated time.Duration) {
	m.notifications.WithLabelValues(scheme, result).Inc()
	if result == "sent" {
		m.notify.WithLabelValues(scheme).Observe(sinceCreated.Seconds())
	}
}
