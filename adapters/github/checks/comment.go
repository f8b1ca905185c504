package checks

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	adapter "github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// maxComment is how many characters GitHub takes; bytes are the stricter reading.
const maxComment = 65536

// commentDelivery keeps one comment per issue or pull request, template and rule; of several events, the newest counts.
func (n *Notifier) commentDelivery(m bridge.Notification, a adapter.Address) (*delivery, error) {
	if a.Number == 0 {
		return nil, errors.New("the event is about no issue or pull request")
	}
	s, err := stageOf(m)
	if err != nil {
		return nil, err
	}
	o := orderOf(m, s)
	o.Event = m.Created.UTC()
	if at, err := time.Parse(time.RFC3339Nano, m.Run.Annotations[bridge.AnnotationEventTime]); err == nil {
		o.Event = at.UTC()
	}
	of := bridge.Digest(fmt.Sprintf("%s\n%d\n%s\n%s", strings.ToLower(a.Repository), a.Number, m.Run.Template, m.Run.Rule))
	c := &comment{Notifier: n, entry: "comment." + of, marker: marker(of), old: true}
	return &delivery{key: m.Key, entry: c.entry, order: o, want: commentText(m, a, s), put: c.put}, nil
}

func commentText(m bridge.Notification, a adapter.Address, s stage) string {
	if m.Text != "" {
		return printable(m.Text)
	}
	return "**" + code(checkName(m), maxName) + "**\n\n" + summary(m, a, s)
}

// marker is the first line of a comment of the bridge, by which it is found again. GitHub does not show it.
func marker(of string) string { return "<!-- argo-bridge:" + of + " -->" }

// A comment is one that the bridge has written, or will.
type comment struct {
	*Notifier
	entry, marker string
	// old: it may have been written before the Register knew of it, since pull requests live longer than entries.
	old bool
}

// put edits the comment, or writes it.
func (c *comment) put(ctx context.Context, at place, e *entry, doubt bool) (id int64, err error) {
	var text string
	if err := json.Unmarshal(e.Want, &text); err != nil {
		return 0, bridge.Permanent(err)
	}
	body := &github.IssueComment{Body: github.String(c.marker + "\n" + cut(text, maxComment-len(c.marker)-1))}
	if id = e.ID; id == 0 && (doubt || c.old) {
		if id, err = c.find(ctx, at); err != nil {
			return 0, err
		}
	}
	if id == 0 {
		written, _, err := at.client.Issues.CreateComment(ctx, at.owner, at.repo, at.address.Number, body)
		return written.GetID(), err
	}
	_, _, err = at.client.Issues.EditComment(ctx, at.owner, at.repo, id, body)
	if isGone(err) {
		return 0, c.forget(ctx, id)
	}
	return id, err
}

// forget takes note that somebody has deleted the comment. The next attempt writes it anew.
func (c *comment) forget(ctx context.Context, id int64) error {
	err := c.change(ctx, c.entry, func(e *entry) bool {
		if e.ID == id {
			e.ID = 0
		}
		return true
	})
	return cmp.Or(err, errors.New("somebody has deleted the comment"))
}

// find looks for the bridge's own comment; 0: there is none.
func (c *comment) find(ctx context.Context, at place) (int64, error) {
	for page := 1; page != 0; {
		request, err := at.client.NewRequest("GET",
			fmt.Sprintf("repos/%s/%s/issues/%d/comments?per_page=100&page=%d", at.owner, at.repo, at.address.Number, page), nil)
		if err != nil {
			return 0, bridge.Permanent(err)
		}
		var comments []writtenComment
		response, err := at.client.Do(ctx, request, &comments)
		if err != nil {
			return 0, err
		}
		for _, written := range comments {
			if strings.HasPrefix(written.Body, c.marker) && written.by(c.AppID) {
				return written.ID, nil
			}
		}
		page = response.NextPage
	}
	return 0, nil
}

// A writtenComment is a comment with the App that wrote it, which go-github leaves out.
type writtenComment struct {
	ID   int64       `json:"id"`
	Body string      `json:"body"`
	User github.User `json:"user"`
	Via  *struct {
		ID int64 `json:"id"`
	} `json:"performed_via_github_app"`
}

// by says whether the App wrote the comment: anybody can copy a marker. A server that does not name the App at least
// knows people from bots.
func (w writtenComment) by(app int64) bool {
	if w.Via == nil {
		return w.User.GetType() == "Bot"
	}
	return w.Via.ID == app
}
