package checks

import (
	"context"
	"errors"
	"fmt"
	"slices"

	adapter "github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// reactions are those that an answer may be.
var reactions = []string{"+1", "-1", "eyes", "rocket", "confused"}

// answerDelivery answers a command: by a reaction on its comment, and by a reply if there is a text.
func (n *Notifier) answerDelivery(m bridge.Notification, a adapter.Address) (*delivery, error) {
	reaction := m.Options[OptionReaction]
	switch {
	case m.Outcome != bridge.Answered:
		return nil, fmt.Errorf("%q is no answer", m.Outcome)
	case reaction != "" && !slices.Contains(reactions, reaction):
		return nil, fmt.Errorf("%q is none of the reactions %v", reaction, reactions)
	case reaction != "" && a.Comment == 0:
		return nil, errors.New("no comment has given the command, so that there is none to react to")
	case m.Text != "" && a.Number == 0:
		return nil, errors.New("the command stands on no issue or pull request, so that there is nowhere to reply")
	}
	of := bridge.Digest(m.Key)
	c := &comment{Notifier: n, entry: "answer." + of, marker: marker(of)}
	return &delivery{
		key: m.Key, entry: c.entry, order: order{Stage: stageEnded}, want: printable(m.Text),
		put: func(ctx context.Context, at place, e *entry, doubt bool) (int64, error) {
			if reaction != "" {
				if err := react(ctx, at, reaction); err != nil {
					return 0, err
				}
			}
			if m.Text == "" {
				return 0, nil
			}
			return c.put(ctx, at, e, doubt)
		},
	}, nil
}

// react adds the reaction; one that is there already stays the only one.
func react(ctx context.Context, at place, content string) (err error) {
	service, id := at.client.Reactions, at.address.Comment
	switch at.address.CommentKind {
	case "review":
		_, _, err = service.CreatePullRequestCommentReaction(ctx, at.owner, at.repo, id, content)
	case "commit":
		_, _, err = service.CreateCommentReaction(ctx, at.owner, at.repo, id, content)
	default:
		_, _, err = service.CreateIssueCommentReaction(ctx, at.owner, at.repo, id, content)
	}
	return err
}
