package progress

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// Bounds of an entry: the last runs of a command, and the bytes of what is told of one.
const (
	maxRuns = 20
	maxLine = 600
)

// An entry is what is kept of one command.
type entry struct {
	Team    string `json:"team,omitempty"`
	Channel string `json:"channel,omitempty"`
	User    string `json:"user,omitempty"`
	// URL is the response_url, empty once it is of no more use; At is when the command was given, and Uses how often the
	// URL was used.
	URL  string    `json:"url,omitempty"`
	At   time.Time `json:"at,omitzero"`
	Uses int       `json:"uses,omitempty"`
	// In and TS are the message that took the place of the answers.
	In string `json:"in,omitempty"`
	TS string `json:"ts,omitempty"`
	// Runs are those of the command, and Shown a digest of what was told of them last.
	Runs  []line `json:"runs,omitempty"`
	Shown string `json:"shown,omitempty"`
}

// A line is what is told of one run.
type line struct {
	Run   string    `json:"run"` // namespace/name
	Text  string    `json:"text"`
	Ended bool      `json:"ended,omitempty"`
	Told  time.Time `json:"told"` // when the notification was made: an older one says nothing new
}

// key is where the entry of an event stands.
func key(hash string) string { return "progress." + hash }

func (p *Progress) load(ctx context.Context, hash string) (*entry, error) {
	data, _, err := p.o.Register.Load(ctx, key(hash))
	if err != nil {
		return nil, fmt.Errorf("load what is known of the command: %w", err)
	}
	e := &entry{}
	if data != nil {
		if err := json.Unmarshal(data, e); err != nil {
			return nil, bridge.Permanent(fmt.Errorf("read what is known of the command: %w", err))
		}
	}
	return e, nil
}

// change alters the entry of an event until no other has changed it meanwhile; alter says whether there is anything to
// write.
func (p *Progress) change(ctx context.Context, hash string, alter func(*entry) bool) (e *entry, err error) {
	err = bridge.Change(ctx, p.o.Register, key(hash), func(now *entry) bool {
		e = now
		return alter(now)
	})
	if err != nil {
		err = fmt.Errorf("what is known of the command: %w", err)
	}
	return e, err
}

// hear notes what a notification says; false: it says nothing new.
func (e *entry) hear(n bridge.Notification) bool {
	now := line{
		Run: n.Run.ID().String(), Text: text(n), Told: n.Created,
		Ended: n.Run.Completed() || n.Outcome == bridge.EventRejected || n.Outcome == bridge.EventSkipped,
	}
	i := slices.IndexFunc(e.Runs, func(have line) bool { return have.Run == now.Run })
	switch {
	case i < 0:
		e.Runs = append(e.Runs, now)
		e.Runs = e.Runs[max(0, len(e.Runs)-maxRuns):]
	case e.Runs[i].Told.After(now.Told):
		return false
	default:
		e.Runs[i] = now
	}
	return true
}

// emojis tell at a glance how a run stands.
var emojis = map[message.State]string{
	message.Going: ":arrow_forward:", message.Waiting: ":raised_hand:", message.Firing: ":x:", message.Good: ":white_check_mark:",
	message.Closed: ":white_check_mark:", message.Ended: ":black_square_for_stop:",
}

// text is what is told of one run.
func text(n bridge.Notification) string {
	of := message.Of(n)
	said := strings.TrimSpace(emojis[of.State] + " " + message.Message(of).Text)
	if link := message.Anchor(n.Link, "Open in Argo"); n.Link != "" && len(link) < maxLine {
		said += " " + link
	}
	return said
}

// ended says that all runs have.
func (e *entry) ended() bool {
	return !slices.ContainsFunc(e.Runs, func(l line) bool { return !l.Ended })
}

// says is all that is told, in Slack's markup.
func (e *entry) says() string {
	lines := make([]string, 0, len(e.Runs))
	for _, l := range e.Runs {
		lines = append(lines, l.Text)
	}
	return strings.Join(lines, "\n")
}

// calls is what is told in the channel: it calls who gave the command.
func (e *entry) calls() string {
	if e.User == "" {
		return e.says()
	}
	return "<@" + e.User + "> " + e.says()
}

// place is the channel of a ReplyTo: TEAM:CHANNEL/TS.
func (e *entry) place(address string) {
	team, rest, named := strings.Cut(address, ":")
	if !named {
		team, rest = "", address
	}
	channel, _, _ := strings.Cut(rest, "/")
	e.Team, e.Channel = cmp.Or(e.Team, team), cmp.Or(e.Channel, channel)
}
