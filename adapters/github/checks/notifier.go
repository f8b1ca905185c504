package checks

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"
	"go.uber.org/zap"

	adapter "github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// Scheme is that of the destinations that the Notifier serves.
const Scheme = "github"

// The targets of the scheme.
const (
	TargetCheck      = "check"
	TargetStatus     = "status"
	TargetComment    = "comment"
	TargetDeployment = "deployment"
	TargetAnswer     = "answer"
)

// Options of a notification that the Notifier knows.
const (
	// OptionAnnotations: "true" makes annotations of lines such as main.go:12: message in the logs of failed steps.
	OptionAnnotations = "annotations"
	// OptionCheckName replaces the name of the check run.
	OptionCheckName = "check-name"
	// OptionEnvironmentURL is where a deployment can be seen.
	OptionEnvironmentURL = "environment-url"
	// OptionReaction is the reaction of an answer: +1, -1, eyes, rocket or confused.
	OptionReaction = "reaction"
)

// Clients makes clients of GitHub's API. Safe for concurrent use.
type Clients interface {
	// Client acts as the App's installation, in one repository (owner/name).
	Client(ctx context.Context, installation int64, repository string) (*github.Client, error)
}

// Options say what a Notifier works with. All fields are needed.
type Options struct {
	Clients  Clients
	Register bridge.Register
	// AppID is the App's id, by which its own check runs and comments are known.
	AppID int64
	Log   *zap.Logger
	Now   func() time.Time
}

// A Notifier serves github:check, github:status, github:comment, github:deployment, and github:answer.
type Notifier struct {
	Options
	throttle throttle

	mu     sync.Mutex
	denied map[string]time.Time // installation/repository → until when no check run is tried
}

var _ bridge.Notifier = (*Notifier)(nil)

// New makes a Notifier.
func New(o Options) *Notifier {
	return &Notifier{Options: o, throttle: newThrottle(), denied: map[string]time.Time{}}
}

// Lane is what a pause that GitHub asks for holds up: its limits are those of one installation.
func (n *Notifier) Lane(m bridge.Notification) string {
	a, err := adapter.ParseAddress(m.Address)
	if err != nil {
		return m.To.Target
	}
	return strconv.FormatInt(a.Installation, 10)
}

// Notify shows what the notification says, unless GitHub shows something newer already. See [bridge.Notifier].
func (n *Notifier) Notify(ctx context.Context, m bridge.Notification) error {
	if err := n.notify(ctx, m); err != nil {
		return fmt.Errorf("notify %s: %w", m.To, adapter.Classify(err))
	}
	return nil
}

func (n *Notifier) notify(ctx context.Context, m bridge.Notification) error {
	at, err := addressOf(m)
	if err != nil {
		return bridge.Permanent(err)
	}
	d, err := n.delivery(m, at)
	if err != nil {
		return bridge.Permanent(err)
	}
	client, err := n.Clients.Client(ctx, at.Installation, at.Repository)
	if err != nil {
		return err
	}
	d.at = place{client: client, address: at}
	d.at.owner, d.at.repo, _ = strings.Cut(at.Repository, "/")
	return n.deliver(ctx, d)
}

// delivery is how the notification's target is served.
func (n *Notifier) delivery(m bridge.Notification, at adapter.Address) (*delivery, error) {
	switch m.To.Target {
	case TargetCheck:
		return n.checkDelivery(m, at)
	case TargetStatus:
		return n.statusDelivery(m, at)
	case TargetComment:
		return n.commentDelivery(m, at)
	case TargetDeployment:
		return n.deploymentDelivery(m, at)
	case TargetAnswer:
		return n.answerDelivery(m, at)
	}
	return nil, fmt.Errorf("%q is none of check, status, comment, deployment and answer", m.To.Target)
}

// A place is a repository, and the client that acts there.
type place struct {
	client      *github.Client
	address     adapter.Address
	owner, repo string
}

var (
	repositoryName = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)
	commitName     = regexp.MustCompile(`^[0-9a-f]{7,64}$`)
)

// addressOf reads where the event's source answers.
func addressOf(m bridge.Notification) (adapter.Address, error) {
	if m.Address == "" {
		return adapter.Address{}, errors.New("no event of GitHub has started the run, so that there is no commit or pull request to report to")
	}
	a, err := adapter.ParseAddress(m.Address)
	switch {
	case err != nil:
		return a, err
	case a.Installation == 0:
		return a, errors.New("the event came by a webhook of the repository's own: only a GitHub App that is installed there can report to it")
	case !repositoryName.MatchString(a.Repository):
		return a, fmt.Errorf("%q is no repository", a.Repository)
	}
	return a, nil
}

// needCommit says why a check or status has nowhere to stand.
func needCommit(m bridge.Notification, a adapter.Address) error {
	if m.Subject == "" {
		return errors.New("no rule of the bridge has started the run, so that nothing ties it to a commit")
	}
	if !commitName.MatchString(a.Commit) {
		return errors.New("the event is about no commit")
	}
	return nil
}
