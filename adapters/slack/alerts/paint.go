package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// callWithin bounds the requests of one step, so that a claim does not end before them.
	callWithin = claimLife - 15*time.Second
	// appearsAfter is how long a message may take to appear in a channel's history.
	appearsAfter = 2 * time.Second
	// lookAgain is how often it is looked whether a silence has been taken back.
	lookAgain = 15 * time.Second
)

// A step is one thing that Slack is told.
type step struct {
	what string // doPost, doUpdate, or the key of a part
	part *part
	turn turn // to do so
}

// paint tells Slack the next thing of an alert.
func (n *Notifier) paint(ctx context.Context, id string) told {
	if id == search {
		n.scan(ctx)
		return told{}
	}
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	e, err := n.load(ctx, id)
	switch {
	case err != nil:
		return n.failing(id, err)
	case e == nil:
		return told{}
	case !e.dirty():
		return told{shown: e.Shown, err: e.refusal()}
	}
	at, err := n.place(ctx, e)
	if err != nil {
		return n.ended(ctx, e, step{}, n.fault(e.To.String(), err))
	}
	s, wait, err := n.next(ctx, e, at)
	switch {
	case err != nil:
		return n.failing(id, err)
	case wait > 0:
		return told{shown: e.Shown, held: e.Held && e.TS == "", again: wait}
	case s.what == "":
		return told{shown: e.Version, again: time.Millisecond} // what was left out has been taken out
	}
	defer n.throttle.done(s.turn)
	if wait := n.heed(ctx, string(s.turn)); wait > 0 {
		return told{shown: e.Shown, again: wait}
	}
	doubt := false
	if e, doubt, err = n.claim(ctx, id, s); err != nil || e == nil {
		return told{again: appearsAfter}
	}
	return n.do(ctx, e, at, s, doubt)
}

// refusal is what Slack has said against an alert for ever.
func (e *entry) refusal() error {
	if e.Failed == "" {
		return nil
	}
	return bridge.Permanent(errors.New(e.Failed))
}

// place is where the alert stands, or is to be posted.
func (n *Notifier) place(ctx context.Context, e *entry) (place, error) {
	at, err := place{team: e.Team, channel: e.Channel, thread: e.Thread}, error(nil)
	if e.TS == "" {
		at, err = n.places.find(ctx, e.To.Target, e.At)
	}
	at.home = n.home(at.team)
	return at, err
}

// home is the one name of a workspace, for what is counted there: the default one has an id too.
func (n *Notifier) home(team string) string {
	if team == "" {
		return ""
	}
	standard, err := n.Clients.Client("")
	if err != nil {
		return team
	}
	if own, err := n.Clients.Client(team); err != nil || own != standard {
		return team
	}
	return ""
}

// next is what to tell Slack, or how long to wait with it. The tokens for it are taken.
func (n *Notifier) next(ctx context.Context, e *entry, at place) (step, time.Duration, error) {
	now := n.Now()
	if left := e.Writer.held(now, n.Owner, n.Others); left > 0 {
		return step{}, left, nil
	}
	if e.TS == "" {
		return n.first(ctx, e, at, now)
	}
	wait := time.Duration(0)
	for _, s := range e.steps() {
		of, left := n.spaced(e, at, s, now)
		if left <= 0 {
			s.turn = of
			return s, 0, nil
		}
		if wait == 0 || left < wait {
			wait = left
		}
	}
	return step{}, wait, nil
}

// steps are what is to be told of an alert that is posted, the most urgent first.
func (e *entry) steps() (all []step) {
	var later []step
	for i := range e.Parts {
		switch p := &e.Parts[i]; {
		case p.TS != "":
		case p.Ring:
			all = append(all, step{what: p.Key, part: p})
		default:
			later = append(later, step{what: p.Key, part: p})
		}
	}
	if e.Shown < e.Version {
		all = append(all, step{what: doUpdate})
	}
	return append(all, later...)
}

// spaced is how long a step has to wait; if it has not to, it has taken its token.
func (n *Notifier) spaced(e *entry, at place, s step, now time.Time) (turn, time.Duration) {
	if s.what == doUpdate {
		if left := e.Painted.Add(n.updateEvery(len(e.Seen))).Sub(now); left > 0 && e.State != message.Closed {
			return "", left
		}
		return n.throttle.update(at.home, now)
	}
	if left := s.part.Not.Sub(now); left > 0 && !s.part.Ring {
		return "", left
	}
	if left := s.part.Doubt.Add(appearsAfter).Sub(now); left > 0 {
		return "", left
	}
	return n.throttle.post(at.home, at.channel, now)
}

// first is the posting of a new alert, which quiet hours and silences hold back. What was made good meanwhile is not
// posted any more.
func (n *Notifier) first(ctx context.Context, e *entry, at place, now time.Time) (step, time.Duration, error) {
	if e.Held && (e.State == message.Closed || e.State == message.Good) {
		return step{}, 0, n.drop(ctx, e)
	}
	until, err := n.holds(ctx, e, now)
	if err != nil {
		return step{}, 0, err
	}
	if left := until.Sub(now); left > 0 {
		if !e.Held {
			err = change(ctx, n.Table, keyAlert+e.ID, func(e *entry) bool { e.Held = true; return true })
			e.Held = true
		}
		return step{}, min(left, lookAgain), err
	}
	if left := e.Doubt.Add(appearsAfter).Sub(now); left > 0 {
		return step{}, left, nil
	}
	of, wait := n.throttle.post(at.home, at.channel, now)
	if wait > 0 {
		return step{}, wait, nil
	}
	return step{what: doPost, turn: of}, 0, nil
}

// holds is until when an alert is held back. An approval is not: somebody waits for it.
func (n *Notifier) holds(ctx context.Context, e *entry, now time.Time) (time.Time, error) {
	if e.State == message.Waiting || e.At != "" {
		return time.Time{}, nil
	}
	until, err := bridge.SilentUntil(ctx, n.Silences, e.Newest.Run.Template.String(), e.To.String())
	if quiet := e.Set.quietUntil(now); quiet.After(until) {
		until = quiet
	}
	return until, err
}

// silent is until when the template of an alert is silenced, for the message; zero when it is not, or cannot be told.
func (n *Notifier) silent(ctx context.Context, e *entry) time.Time {
	until, err := bridge.SilentUntil(ctx, n.Silences, e.Newest.Run.Template.String(), e.To.String())
	if err != nil {
		return time.Time{}
	}
	return until
}

func (n *Notifier) drop(ctx context.Context, e *entry) error {
	n.Log.Info("an alert that was held back has been made good meanwhile; it is not posted",
		zap.String(bridge.LogDestination, e.To.String()), zap.Stringer(bridge.LogTemplate, e.Newest.Run.Template), zap.Int("failures", len(e.Seen)))
	return change(ctx, n.Table, keyAlert+e.ID, func(e *entry) bool {
		if e.TS != "" || e.State != message.Closed && e.State != message.Good { // another failure has joined it
			return false
		}
		e.Shown, e.Parts, e.Gone = e.Version, nil, true
		return true
	})
}

// claim takes the alert, so that no other tells Slack of it at the same time; nil when another has been faster. doubt: an
// earlier attempt of the same step may have had its effect.
func (n *Notifier) claim(ctx context.Context, id string, s step) (claimed *entry, doubt bool, err error) {
	err = change(ctx, n.Table, keyAlert+id, func(e *entry) bool {
		now := n.Now().UTC()
		claimed = nil
		if e.Writer.held(now, n.Owner, n.Others) > 0 || !e.needs(s.what) {
			return false
		}
		if e.Writer != nil { // whoever it was has gone in the middle of it
			e.doubt(e.Writer.What, e.Writer.At)
		}
		claimed, doubt = e, !e.doubtful(s.what).IsZero()
		e.Writer = &claim{Owner: n.Owner, At: now, What: s.what}
		return true
	})
	return claimed, doubt, err
}

// needs says that a step is still to be made: another may have made it since it was planned.
func (e *entry) needs(what string) bool {
	switch what {
	case doPost:
		return e.TS == ""
	case doUpdate:
		return e.TS != "" && e.Shown < e.Version
	}
	p := e.part(what)
	return e.TS != "" && p != nil && p.TS == ""
}

// do tells Slack, and records what came of it.
func (n *Notifier) do(ctx context.Context, e *entry, at place, s step, doubt bool) told {
	api, err := n.Clients.Client(at.team)
	if err != nil {
		return n.ended(ctx, e, s, n.fault(e.To.String(), err))
	}
	switch s.what {
	case doPost:
		err = n.post(ctx, api, e, at, doubt)
	case doUpdate:
		err = n.update(ctx, api, e)
	default:
		err = n.reply(ctx, api, e, s.what, doubt)
	}
	if e.Newest.Options[optionBlocks] != "" && refusesBlocks(err) {
		return n.withoutBlocks(ctx, e, err)
	}
	n.paused(ctx, at, s, err)
	return n.ended(ctx, e, s, n.fault(e.To.String(), err))
}

// paused keeps back what Slack wants no more of for a while, if that is what it has answered.
func (n *Notifier) paused(ctx context.Context, at place, s step, err error) {
	wait, named := bridge.Wait(n.fault("", err))
	if !named || errors.Is(err, bridge.ErrSpaced) {
		return
	}
	n.Painted("paused")
	until := n.Now().Add(wait)
	key := string(s.turn)
	if look := (lookError{}); errors.As(err, &look) {
		key = "look " + at.home
	}
	n.throttle.pause(key, until)
	// Others, and whoever comes after this process, heed it as well.
	if err := change(ctx, n.Table, keyPause+bridge.Digest(key), func(have *time.Time) bool {
		if !until.After(*have) {
			return false
		}
		*have = until.UTC()
		return true
	}); err != nil {
		n.Log.Warn("slack has asked for a pause, which only this process heeds", zap.Error(err))
	}
}

// heed is how long another process was asked to wait with what is to be done.
func (n *Notifier) heed(ctx context.Context, key string) time.Duration {
	var until time.Time
	if err := n.read(ctx, keyPause+bridge.Digest(key), &until); err != nil {
		return busyFor
	}
	n.throttle.pause(key, until)
	return until.Sub(n.Now())
}

func (n *Notifier) post(ctx context.Context, api *slack.Client, e *entry, at place, doubt bool) error {
	if doubt {
		id, ts, err := n.posted(ctx, api, e, at)
		if err != nil {
			return err
		}
		if ts != "" { // what it shows may be older
			e.Team, e.Channel, e.TS, e.Thread, e.Version = at.team, id, ts, at.thread, 0
			return n.mark(ctx, e)
		}
	}
	e.Team = at.team
	options := append(message.Message(n.alert(ctx, e)).Options(), metadata(e.ID), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
	if at.thread != "" {
		options = append(options, slack.MsgOptionTS(at.thread))
	}
	channel, ts, err := api.PostMessageContext(ctx, at.channel, options...)
	if err == nil && ts == "" {
		err = errors.New("slack's answer says neither that it took the message nor why not")
	}
	if err != nil {
		return err
	}
	n.Painted("post")
	n.places.learn(at, channel)
	n.throttle.learn(at.home, at.channel, channel)
	e.Channel, e.TS, e.Thread = channel, ts, at.thread
	return n.mark(ctx, e)
}

// posted looks whether an alert was posted: the id of its channel and its ts, or "".
func (n *Notifier) posted(ctx context.Context, api *slack.Client, e *entry, at place) (channel, ts string, err error) {
	err = n.lookUp(ctx, at, func() (err error) {
		if channel, err = n.places.id(ctx, at); err != nil {
			return err
		}
		ts, err = look(ctx, api, place{at.team, channel, at.thread, at.home}, e.ID, e.Opened)
		return err
	})
	return channel, ts, err
}

// mark lets buttons find an alert by its message. Without it they still work, so that no error is worth another attempt.
func (n *Notifier) mark(ctx context.Context, e *entry) error {
	err := n.Table.Store(ctx, keyMessage+e.Channel+"."+bridge.Digest(e.TS), fmt.Appendf(nil, "%q", e.ID), 0)
	if err != nil && !errors.Is(err, bridge.ErrStale) {
		n.Log.Warn("answers to an alert's buttons will stand below it, and not in it", zap.Error(err))
	}
	return nil
}

func (n *Notifier) update(ctx context.Context, api *slack.Client, e *entry) error {
	_, _, _, err := api.UpdateMessageContext(ctx, e.Channel, e.TS, append(message.Message(n.alert(ctx, e)).Options(), metadata(e.ID))...)
	if err == nil {
		n.Painted("update")
	}
	return err
}

// reply posts a part into the thread.
func (n *Notifier) reply(ctx context.Context, api *slack.Client, e *entry, key string, doubt bool) error {
	p := e.part(key)
	if p == nil {
		return nil
	}
	thread, metaKey := e.TS, e.ID+"."+key
	if e.Thread != "" {
		thread = e.Thread
	}
	if doubt {
		ts, err := n.sent(ctx, api, place{e.Team, e.Channel, thread, n.home(e.Team)}, metaKey, e.Opened)
		if err != nil || ts != "" {
			p.TS = ts
			return err
		}
	}
	options := append(p.render().Options(), metadata(metaKey), slack.MsgOptionTS(thread), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
	if p.Ring {
		options = append(options, slack.MsgOptionBroadcast())
	}
	_, ts, err := api.PostMessageContext(ctx, e.Channel, options...)
	if err != nil {
		return err
	}
	n.Painted("reply")
	p.TS = ts
	return nil
}

// sent looks for a message whose sending was interrupted.
func (n *Notifier) sent(ctx context.Context, api *slack.Client, at place, key string, since time.Time) (ts string, err error) {
	err = n.lookUp(ctx, at, func() (err error) {
		ts, err = look(ctx, api, at, key, since)
		return err
	})
	return ts, err
}

// lookUp looks for what may have been sent, one at a time. Where the bridge may not look, it is as if there were nothing: an
// alert twice is better than none.
func (n *Notifier) lookUp(ctx context.Context, at place, look func() error) error {
	of, wait := n.throttle.look(at.home, n.Now())
	if wait > 0 {
		return bridge.RetryAfter(lookError{errBehind}, wait)
	}
	defer n.throttle.done(of)
	if wait := n.heed(ctx, string(of)); wait > 0 {
		return bridge.RetryAfter(lookError{errBehind}, wait)
	}
	err := look()
	if fault := n.fault(at.channel, err); bridge.IsPermanent(fault) {
		n.Log.Warn("cannot look up whether an interrupted message was sent; sending it again", zap.Error(fault))
		return nil
	}
	if err != nil {
		return lookError{err}
	}
	return nil
}

// A lookError is one of looking something up: it says nothing of posting and updating.
type lookError struct{ error }

func (e lookError) Unwrap() error { return e.error }

func (e *entry) part(key string) *part {
	for i := range e.Parts {
		if e.Parts[i].Key == key {
			return &e.Parts[i]
		}
	}
	return nil
}

func (p *part) render() message.Rendered {
	switch {
	case p.Kind == partDetails && p.Of != nil:
		return message.Details(*p.Of)
	case p.Kind == partRecovery && p.Of != nil:
		return message.Recovery(*p.Of)
	}
	return message.Rendered{Text: p.Text, Blocks: []slack.Block{slack.NewSectionBlock(&slack.TextBlockObject{Type: slack.MarkdownType, Text: p.Text, Verbatim: true}, nil, nil)}}
}
