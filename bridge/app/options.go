package app

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/argo-bridge/argo-bridge/adapters/cloudevents"
	"github.com/argo-bridge/argo-bridge/adapters/gcs"
	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/nats"
	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/webhook"
	"github.com/argo-bridge/argo-bridge/bridge/admin"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/inflight"
	"github.com/argo-bridge/argo-bridge/bridge/kube"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

// Options are all settings of the bridge, as the config file writes them.
type Options struct {
	// Namespace is the namespace whose templates are served; empty: the one that the bridge runs
	// in. With ClusterWide it is where ClusterWorkflowTemplates run.
	Namespace string `yaml:"namespace"`
	// ClusterWide serves the templates of all namespaces, and ClusterWorkflowTemplates, as far as
	// Access allows.
	ClusterWide bool `yaml:"clusterWide"`
	// Access says which namespaces may bind to which repositories, buckets, workspaces, channels,
	// ends of other namespaces' workflows and other events. Without it an install for one namespace serves that namespace all events,
	// and a cluster-wide one serves nobody.
	Access []match.Entry `yaml:"access"`

	HTTP       HTTPOptions     `yaml:"http"`
	Log        LogOptions      `yaml:"log"`
	Argo       ArgoOptions     `yaml:"argo"`
	Dispatch   DispatchOptions `yaml:"dispatch"`
	Limits     Limits          `yaml:"limits"`
	Kubernetes kube.Config     `yaml:"kubernetes"`
	Bus        bus.Config      `yaml:"bus"`
	Admin      admin.Config    `yaml:"admin"`

	// A source without a section is off.
	GitHub      *github.Config     `yaml:"github"`
	GCS         *gcs.Config        `yaml:"gcs"`
	Slack       *slack.Config      `yaml:"slack"`
	CloudEvents cloudevents.Config `yaml:"cloudevents"`

	// Webhooks are the endpoints of the destinations webhook:<name>, and NATS says what nats:<subject> may be.
	Webhooks webhook.Config `yaml:"webhooks"`
	NATS     nats.Config    `yaml:"nats"`
}

// HTTPOptions are the settings of the HTTP server, which takes webhooks and answers probes.
type HTTPOptions struct {
	// Listen is a host:port; default :8080.
	Listen string `yaml:"listen"`
}

// LogOptions are the settings of the log.
type LogOptions struct {
	Level  string `yaml:"level"`  // debug, info, warn or error; default info
	Format string `yaml:"format"` // json or console; default json
}

// ArgoOptions say where Argo is.
type ArgoOptions struct {
	// UI is the address of the Argo UI as people reach it, for links in messages. Optional.
	UI string `yaml:"ui"`
}

// DispatchOptions bound the work at hand.
type DispatchOptions struct {
	// Workers is how many events are handled at once; default 32.
	Workers int `yaml:"workers"`
}

// Limits bound what the bridge makes.
type Limits struct {
	inflight.Limits `yaml:",inline"`
	// ChainDepth is how many runs may start one another by workflow.<outcome>; default 10. What is deeper is
	// taken for a loop and rejected.
	ChainDepth int `yaml:"chainDepth"`
}

// Defaults returns l with every unset field at its default.
func (l Limits) Defaults() Limits {
	l.Limits = l.Limits.Defaults()
	if l.ChainDepth == 0 {
		l.ChainDepth = 10
	}
	return l
}

// Validate names every field that cannot hold.
func (l Limits) Validate() error {
	err := l.Limits.Validate()
	if l.ChainDepth < 1 || l.ChainDepth > 1000 {
		err = errors.Join(err, fmt.Errorf("chainDepth: %d is not between 1 and 1000", l.ChainDepth))
	}
	return err
}

// Defaults returns o with every unset field at its default.
func (o Options) Defaults() Options {
	if o.HTTP.Listen == "" {
		o.HTTP.Listen = ":8080"
	}
	if o.Log.Level == "" {
		o.Log.Level = "info"
	}
	if o.Log.Format == "" {
		o.Log.Format = "json"
	}
	if o.Dispatch.Workers == 0 {
		o.Dispatch.Workers = 32
	}
	o.Limits = o.Limits.Defaults()
	o.Admin = o.Admin.Defaults()
	o.Bus = o.Bus.Defaults()
	return o
}

// Validate names every field that cannot hold, by its place in the file.
func (o Options) Validate() error {
	var errs []error
	if _, _, err := net.SplitHostPort(o.HTTP.Listen); err != nil {
		errs = append(errs, fmt.Errorf("http.listen: %w", err))
	}
	if !oneOf(o.Log.Level, "debug", "info", "warn", "error") {
		errs = append(errs, fmt.Errorf("log.level: %q is none of debug, info, warn, error", o.Log.Level))
	}
	if !oneOf(o.Log.Format, "json", "console") {
		errs = append(errs, fmt.Errorf("log.format: %q is neither json nor console", o.Log.Format))
	}
	if o.Dispatch.Workers < 1 || o.Dispatch.Workers > 1024 {
		errs = append(errs, fmt.Errorf("dispatch.workers: %d is not between 1 and 1024", o.Dispatch.Workers))
	}
	if u, err := url.Parse(o.Argo.UI); o.Argo.UI != "" && (err != nil || u.Scheme == "" || u.Host == "") {
		errs = append(errs, fmt.Errorf("argo.ui: %q is no address such as https://argo.example.com", o.Argo.UI))
	}
	errs = append(errs, o.Bus.Validate(), section("limits", o.Limits.Validate()), section("admin", o.Admin.Validate()))
	if _, err := match.NewAccess(o.Access, "any"); err != nil {
		errs = append(errs, fmt.Errorf("access: %w", err))
	}
	if o.GitHub != nil {
		errs = append(errs, section("github", o.GitHub.Validate()))
	}
	if o.GCS != nil {
		errs = append(errs, section("gcs", o.GCS.Validate()))
	}
	if o.Slack != nil {
		errs = append(errs, section("slack", o.Slack.Validate()))
	}
	errs = append(errs, section("cloudevents", o.CloudEvents.Validate()),
		section("webhooks", o.Webhooks.Validate()), section("nats", o.NATS.Validate()))
	return errors.Join(errs...)
}

// Redacted is o without what may not be logged: user and password in addresses, paths of webhooks. Secrets themselves
// are never in the options, only the files and variables that hold them.
func (o Options) Redacted() Options {
	addresses := strings.Split(o.Bus.URL, ",")
	for i, address := range addresses {
		if u, err := url.Parse(strings.TrimSpace(address)); err == nil && u.User != nil {
			u.User = url.User("redacted")
			addresses[i] = u.String()
		}
	}
	o.Bus.URL = strings.Join(addresses, ",")
	o.Webhooks = o.Webhooks.Redacted()
	return o
}

// section puts the name of the file's section before every line of an adapter's error.
func section(name string, err error) error {
	if err == nil {
		return nil
	}
	var errs []error
	for line := range strings.SplitSeq(err.Error(), "\n") {
		errs = append(errs, errors.New(name+"."+line))
	}
	return errors.Join(errs...)
}

func oneOf(s string, words ...string) bool {
	for _, w := range words {
		if s == w {
			return true
		}
	}
	return false
}
