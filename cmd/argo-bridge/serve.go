package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/go-logr/zapr"
	"github.com/urfave/cli/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.yaml.in/yaml/v3"
	"k8s.io/klog/v2"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/app"
)

// A setting is one flag of serve that overrides a field of the config file. Its environment variable
// stands between the two.
type setting struct {
	flag, env, usage string
	field            func(o *app.Options) *string
}

var settings = []setting{
	{"namespace", "ARGO_BRIDGE_NAMESPACE", "namespace to serve (default: the bridge's own)",
		func(o *app.Options) *string { return &o.Namespace }},
	{"listen", "ARGO_BRIDGE_LISTEN", "`HOST:PORT` for webhooks, probes and metrics (default: :8080)",
		func(o *app.Options) *string { return &o.HTTP.Listen }},
	{"data-dir", "ARGO_BRIDGE_DATA_DIR", "`FOLDER` of the embedded bus (default: data)",
		func(o *app.Options) *string { return &o.Bus.DataDir }},
	{"nats-url", "ARGO_BRIDGE_NATS_URL", "`URL` of an external NATS cluster, in place of the embedded bus",
		func(o *app.Options) *string { return &o.Bus.URL }},
	{"nats-credentials", "ARGO_BRIDGE_NATS_CREDENTIALS", "NATS credentials `FILE`",
		func(o *app.Options) *string { return &o.Bus.CredentialsFile }},
	{"kubeconfig", "ARGO_BRIDGE_KUBECONFIG", "kubeconfig `FILE` (default: the pod's service account)",
		func(o *app.Options) *string { return &o.Kubernetes.Kubeconfig }},
	{"context", "ARGO_BRIDGE_CONTEXT", "context of the kubeconfig",
		func(o *app.Options) *string { return &o.Kubernetes.Context }},
	{"argo-ui", "ARGO_BRIDGE_ARGO_UI", "`URL` of the Argo UI, for links in messages",
		func(o *app.Options) *string { return &o.Argo.UI }},
	{"log-level", "ARGO_BRIDGE_LOG_LEVEL", "debug, info, warn or error (default: info)",
		func(o *app.Options) *string { return &o.Log.Level }},
	{"log-format", "ARGO_BRIDGE_LOG_FORMAT", "json or console (default: json)",
		func(o *app.Options) *string { return &o.Log.Format }},
}

func serveCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "config", Aliases: []string{"c"}, EnvVars: []string{"ARGO_BRIDGE_CONFIG"}, Usage: "config `FILE` (YAML)", TakesFile: true},
		&cli.BoolFlag{Name: "cluster-wide", EnvVars: []string{"ARGO_BRIDGE_CLUSTER_WIDE"}, Usage: "serve all namespaces, as far as the access section allows"},
	}
	for _, s := range settings {
		flags = append(flags, &cli.StringFlag{Name: s.flag, EnvVars: []string{s.env}, Usage: s.usage})
	}
	return &cli.Command{
		Name:  "serve",
		Usage: "run the bridge",
		Description: "Takes webhooks and Pub/Sub notifications, submits the templates whose annotations fit, and\n" +
			"notifies. A flag overrides its environment variable, which overrides the config file.\n" +
			"docs/configuration.md lists every field of the file.",
		Flags: flags,
		Action: func(c *cli.Context) error {
			options, err := readOptions(c)
			if err != nil {
				return cli.Exit(err.Error(), 2)
			}
			log, err := newLogger(options.Log)
			if err != nil {
				return cli.Exit(err.Error(), 2)
			}
			defer func() { _ = log.Sync() }()
			tuneMemory()
			// What Kubernetes' libraries have to say stands in the same log.
			klog.SetLogger(zapr.NewLogger(log.With(zap.String(bridge.LogComponent, "kubernetes"))))
			log.Info("starting", zap.String("version", version), zap.Any("config", options.Redacted()))
			a, err := app.New(c.Context, options, os.Getenv, log)
			if err != nil {
				return err
			}
			return a.Run(c.Context)
		},
	}
}

// tuneMemory makes the garbage collector spend a little more time for a smaller process, unless the
// environment says otherwise. The live heap is small, so that the time is not much.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(40)
	}
}

// readOptions reads the file, then lets environment and flags override it.
func readOptions(c *cli.Context) (app.Options, error) {
	var o app.Options
	if path := c.String("config"); path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return o, fmt.Errorf("read config: %w", err)
		}
		if err := decodeOptions(data, &o); err != nil {
			return o, fmt.Errorf("config %s: %w", path, err)
		}
	}
	for _, s := range settings {
		if c.IsSet(s.flag) {
			*s.field(&o) = c.String(s.flag)
		}
	}
	if c.IsSet("cluster-wide") {
		o.ClusterWide = c.Bool("cluster-wide")
	}
	o = o.Defaults()
	return o, o.Validate()
}

// decodeOptions is strict: a field that does not exist is an error with its line.
func decodeOptions(data []byte, o *app.Options) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(o); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func newLogger(o app.LogOptions) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(o.Level)
	if err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	config := zap.NewProductionConfig()
	config.Level = zap.NewAtomicLevelAt(level)
	config.Sampling = nil
	config.DisableStacktrace = true
	config.DisableCaller = true
	config.EncoderConfig.TimeKey = "time"
	config.EncoderConfig.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	if o.Format == "console" {
		config.Encoding = "console"
		config.EncoderConfig.EncodeLevel = zapcore.CapitalLevelEncoder
	}
	return config.Build()
}
