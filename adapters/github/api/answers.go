package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
	gh "github.com/google/go-github/v60/github"
	"go.uber.org/zap"
)

// keptAnswers bounds how many events' answers are remembered, and keepAnswers is for how long: the rules of one event ask
// the same, and so does an event that is tried again.
const (
	keptAnswers = 64
	keepAnswers = 10 * time.Minute
)

// AnswersOptions are what Answers needs.
type AnswersOptions struct {
	// App asks GitHub; nil where no App is configured: nothing is answered then, and nobody trusted but by name.
	App *App
	// RunBeyond says that files which GitHub does not tell count as fitting, see [github.Config.RunsBeyond].
	RunBeyond bool
	// Trust is the bridge's own setting.
	Trust bridge.Trust
	// Log, Now and Observer may be nil.
	Log      *zap.Logger
	Now      func() time.Time
	Observer Observer
}

// Answers asks GitHub for what its payloads do not say.
type Answers struct {
	options   AnswersOptions
	changes   *memory[changes] // by event
	messages  *memory[string]  // by repository and commit: why nothing is to run
	standings *memory[standing]
}

var _ bridge.Inquirer = (*Answers)(nil)

// NewAnswers makes Answers.
func NewAnswers(o AnswersOptions) *Answers {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	return &Answers{
		options:   o,
		changes:   newMemory(keptAnswers, o.Now, func(changes) time.Duration { return keepAnswers }),
		messages:  newMemory(keptAnswers, o.Now, func(string) time.Duration { return keepAnswers }),
		standings: newMemory(keptStandings, o.Now, standing.keep),
	}
}

// Supply answers questions about an event. The pull request under a comment comes first, since the others may be about
// its commits. An error is Permanent where GitHub refuses, or where no App is configured.
func (a *Answers) Supply(ctx context.Context, e bridge.Event, f bridge.Facts, questions []string) (bridge.Facts, error) {
	given := f
	f = detached(f)
	for _, q := range []struct {
		name   string
		answer func(context.Context, bridge.Event, *bridge.Facts) error
	}{{github.QuestionPullRequest, a.pullRequest}, {github.QuestionCommit, a.commit}, {github.QuestionFiles, a.files}} {
		if !slices.Contains(questions, q.name) {
			continue
		}
		if err := q.answer(ctx, e, &f); err != nil {
			return given, fmt.Errorf("ask GitHub for the %s of %s: %w", strings.ReplaceAll(q.name, "-", " "), e.Type, err)
		}
		maps.DeleteFunc(f.Asks, func(_, asked string) bool { return asked == q.name })
	}
	for _, q := range questions {
		if q != github.QuestionPullRequest && q != github.QuestionCommit && q != github.QuestionFiles {
			return given, bridge.Permanent(fmt.Errorf("there is no question %q to ask of GitHub", q))
		}
	}
	return f, nil
}

// detached is f with maps and lists of its own: facts are shared.
func detached(f bridge.Facts) bridge.Facts {
	f.Values, f.Missing, f.Asks, f.Beyond = own(f.Values), own(f.Missing), own(f.Asks), own(f.Beyond)
	f.Vouch = slices.Clone(f.Vouch)
	return f
}

func own[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return maps.Clone(m)
}

// A repository is where a question is asked.
type repository struct {
	*gh.Client
	owner, name string
	address     github.Address
}

func (r repository) String() string { return r.owner + "/" + r.name }

// errNoApp says what is missing for GitHub to be asked anything.
var errNoApp = errors.New("no GitHub App is configured: set github.app.id and github.app.privateKeyFile")

// at is the repository of an event, with a client.
func (a *Answers) at(ctx context.Context, f *bridge.Facts) (repository, error) {
	if a.options.App == nil {
		return repository{}, bridge.Permanent(errNoApp)
	}
	address, err := github.ParseAddress(f.ReplyTo)
	if err != nil {
		return repository{}, bridge.Permanent(fmt.Errorf("the event names no installation of the GitHub App: %w", err))
	}
	owner, name, _ := strings.Cut(address.Repository, "/")
	client, err := a.options.App.Client(ctx, address.Installation, address.Repository)
	return repository{client, owner, name, address}, err
}

// with adds to the variable github.
func with(variables func() (map[string]any, error), more map[string]any) func() (map[string]any, error) {
	return sync.OnceValues(func() (map[string]any, error) {
		all := map[string]any{}
		if variables != nil {
			before, err := variables()
			if err != nil {
				return nil, err
			}
			all = maps.Clone(before)
		}
		context, _ := all["github"].(map[string]any)
		context = own(context)
		maps.Copy(context, more)
		all["github"] = context
		return all, nil
	})
}
