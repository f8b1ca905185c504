package cluster

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/argo-bridge/argo-bridge/deploy/local/install"
)

// UpOptions say how a cluster is to be.
type UpOptions struct {
	Dir Dir
	// Kubeconfig is an additional file for the administrator's kubeconfig.
	Kubeconfig string
	// Components that are to run; see [ParseComponents].
	Components []string
	// CRDs is "minimal" or "full": Argo's two sets of custom resource definitions.
	CRDs string
	// ParentPID is the process with which the cluster ends; 0 means none.
	ParentPID int
	// Executable runs one component when called with its name.
	Executable string
	// Progress hears of each step.
	Progress io.Writer
}

// Up makes the cluster run: it starts what is missing, installs Argo's objects,
// and returns when every component is ready. What runs already is left alone.
func Up(ctx context.Context, o UpOptions) error {
	dir, err := o.Dir.absolute()
	if err != nil {
		return fmt.Errorf("make cluster folder: %w", err)
	}
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	state, err := loadOrNewState(dir)
	if err != nil {
		return err
	}
	u := &upping{UpOptions: o, dir: dir, state: state, began: time.Now()}
	if u.complete(ctx) {
		u.say("already running: API server %s, kubeconfig %s", state.URL(APIServer), state.Kubeconfig)
		return nil
	}
	return u.run(ctx)
}

// upping is one call of Up.
type upping struct {
	UpOptions
	dir   Dir
	state *State
	began time.Time
}

func (u *upping) say(format string, args ...any) {
	fmt.Fprintf(u.Progress, "%5.1fs  %s\n", time.Since(u.began).Seconds(), fmt.Sprintf(format, args...))
}

// complete says whether everything that was asked for runs and is ready.
func (u *upping) complete(ctx context.Context) bool {
	for _, component := range u.Components {
		if _, err := loadRecord(u.dir, component); err != nil {
			return false
		}
		if checkReady(ctx, u.state, component) != nil {
			return false
		}
	}
	return u.CRDs == u.state.CRDs && (u.Kubeconfig == "" || u.Kubeconfig == u.state.Kubeconfig)
}

func (u *upping) run(ctx context.Context) error {
	if err := u.prepare(); err != nil {
		return err
	}
	if err := u.start(ctx, APIServer); err != nil {
		return err
	}
	if err := writeKubeconfigs(u.dir, u.state, u.state.Kubeconfig); err != nil {
		return err
	}
	// The rest needs Argo's kinds to be there when it starts: the garbage
	// collector looks for new ones only now and then.
	if err := u.install(ctx); err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for _, component := range u.Components {
		if component != APIServer {
			group.Go(func() error { return u.start(groupCtx, component) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	u.say("cluster is up: kubeconfig %s", u.state.Kubeconfig)
	return nil
}

// prepare settles ports, tokens and keys, and writes them down.
func (u *upping) prepare() error {
	u.state.Components, u.state.CRDs, u.state.ParentPID = u.Components, u.CRDs, u.ParentPID
	u.state.Kubeconfig = u.Kubeconfig
	if u.Kubeconfig == "" {
		u.state.Kubeconfig = u.dir.Kubeconfig()
	}
	if u.noneRuns() {
		if err := u.state.choosePorts(); err != nil {
			return err
		}
	}
	u.state.chooseTokens()
	if err := writeTokens(u.dir, u.state); err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	if err := writeServiceAccountKey(u.dir); err != nil {
		return err
	}
	return u.state.save(u.dir)
}

func (u *upping) noneRuns() bool {
	for _, component := range Components() {
		if _, err := loadRecord(u.dir, component); err == nil {
			return false
		}
	}
	return true
}

// start runs a component unless it runs already, and waits until it is ready.
func (u *upping) start(ctx context.Context, component string) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	began := time.Now()
	if err := start(ctx, u.dir, u.state, u.Executable, component); err != nil {
		return err
	}
	u.say("%-18s ready after %.1fs  %s", component, time.Since(began).Seconds(), u.state.URL(component))
	return nil
}

func (u *upping) install(ctx context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", u.dir.Kubeconfig())
	if err != nil {
		return fmt.Errorf("load kubeconfig: %w", err)
	}
	config.QPS, config.Burst = 500, 500
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	began := time.Now()
	if err := install.Argo(ctx, config, u.CRDs); err != nil {
		return fmt.Errorf("install Argo: %w", err)
	}
	u.say("%-18s done after %.1fs   (%s CRDs, roles, config)", "argo manifests", time.Since(began).Seconds(), u.CRDs)
	return nil
}
