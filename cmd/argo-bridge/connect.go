package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/admin"
	"github.com/argo-bridge/argo-bridge/bridge/admin/client"
)

// localServer is asked when nothing names a bridge.
const localServer = "http://127.0.0.1:8080"

// A backend is what the commands ask: a bridge, or the bus.
type backend struct {
	admin.History
	admin.Replayer
	silences bridge.Silences
	close    func() error
	blind    bool // replays are asked for, and what they decide is not known here
}

// connectFlags say whom to ask.
func connectFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "namespace", Aliases: []string{"n"}, EnvVars: []string{"ARGO_BRIDGE_NAMESPACE"}, Usage: "`NAMESPACE` of the bridge (default: the kubeconfig's)"},
		&cli.StringFlag{Name: "service", Value: "argo-bridge", Usage: "`NAME` of the bridge's Service there"},
		&cli.StringFlag{Name: "kubeconfig", EnvVars: []string{"ARGO_BRIDGE_KUBECONFIG"}, Usage: "kubeconfig `FILE` (default: KUBECONFIG, or ~/.kube/config)", TakesFile: true},
		&cli.StringFlag{Name: "context", EnvVars: []string{"ARGO_BRIDGE_CONTEXT"}, Usage: "`CONTEXT` of the kubeconfig"},
		&cli.StringFlag{Name: "server", EnvVars: []string{"ARGO_BRIDGE_SERVER"}, Usage: "`URL` of the bridge, in place of a way through the kubeconfig (without one: " + localServer + ")"},
		&cli.StringFlag{Name: "token", EnvVars: []string{"ARGO_BRIDGE_TOKEN"}, Usage: "`TOKEN` for the bridge (default: the one of the kubeconfig's user)"},
		&cli.StringFlag{Name: "token-file", Usage: "`FILE` with the token", TakesFile: true},
		&cli.StringFlag{Name: "bus", Usage: "`URL` of the bus, nats://…, to ask it without a bridge"},
		&cli.StringFlag{Name: "nats-credentials", EnvVars: []string{"ARGO_BRIDGE_NATS_CREDENTIALS"}, Usage: "NATS credentials `FILE` for --bus", TakesFile: true},
	}
}

// connect finds the bridge, or the bus, that the flags name.
func connect(c *cli.Context) (*backend, error) {
	if bus := c.String("bus"); bus != "" {
		// ARGO_BRIDGE_SERVER may be set for all calls; --bus is for this one.
		if c.String("server") != os.Getenv("ARGO_BRIDGE_SERVER") {
			return nil, wrong(c, errors.New("either --server or --bus"))
		}
		h, r, s, closeBus, err := openBus(c.Context, bus, c.String("nats-credentials"))
		if err != nil {
			return nil, err
		}
		return &backend{h, r, s, closeBus, true}, nil
	}
	var cluster *cluster
	var err error
	if c.String("server") == "" || c.String("token") == "" && c.String("token-file") == "" {
		if cluster, err = loadCluster(c); err != nil {
			return nil, err
		}
	}
	token, err := tokenOf(c, cluster)
	if err != nil {
		return nil, err
	}
	server, closeWay := c.String("server"), func() error { return nil }
	switch {
	case server != "":
	case cluster == nil:
		server = localServer
	default:
		if server, closeWay, err = cluster.forward(c.Context, c.String("service")); err != nil {
			return nil, err
		}
	}
	remote, err := client.New(server, token)
	if err != nil {
		return nil, wrong(c, fmt.Errorf("--%w", err))
	}
	return &backend{remote, remote, remote, closeWay, false}, nil
}

// tokenOf is the token that was given, or that of the kubeconfig's user.
func tokenOf(c *cli.Context, cluster *cluster) (client.Token, error) {
	file := c.String("token-file")
	switch {
	case file != "":
		return func(context.Context) (string, error) { return readToken(file) }, nil
	case c.String("token") != "":
		token := strings.TrimSpace(c.String("token"))
		return func(context.Context) (string, error) { return token, nil }, nil
	case cluster == nil:
		return nil, errors.New("no token: there is no kubeconfig to take one from: give --token or --token-file, " +
			"with one that the bridge's admin.tokenFile holds or that kubectl create token prints")
	case exposed(c.String("server")):
		return nil, fmt.Errorf("the kubeconfig's token is not sent to %s, since it would travel in the clear: "+
			"use https, or give --token or --token-file", c.String("server"))
	}
	return cluster.token, nil
}

func readToken(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("read token: %s does not hold one token", file)
	}
	return token, nil
}

// exposed says whether what is sent there can be read on the way.
func exposed(server string) bool {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}
