package slack

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// typePrefix begins the type of every Slack event; the rest is the Events API's own name or
	// one of the words below, which no event of the Events API has.
	typePrefix   = "com.slack."
	typeCommand  = typePrefix + "command"
	typeAction   = typePrefix + "action"
	typeShortcut = typePrefix + "shortcut"
	typeView     = typePrefix + "view_submission"

	// sourcePrefix is followed by the workspace's id (or, for an organisation-wide app, the
	// organisation's): an address is in few of Slack's requests, and changes.
	sourcePrefix = "//slack.com/"
)

// errUnsupported: a request that Slack sends and that starts nothing, such as view_closed.
var errUnsupported = errors.New("the interaction is none that starts something")

// TranslateEvent makes an event of a body of the Events API, whose type is event_callback. The id is
// Slack's event_id. The data is the body without the field token, Slack's retired way to prove
// itself, which is no business of whoever reads the bus.
func TranslateEvent(body []byte) (bridge.Event, error) {
	d, err := decode(body)
	if err != nil {
		return bridge.Event{}, err
	}
	if t := d.text("type"); t != "event_callback" {
		return bridge.Event{}, fmt.Errorf("type is %q, not event_callback", t)
	}
	kind := d.text("event.type")
	if !token(kind) {
		return bridge.Event{}, errors.New("event.type is missing or not a name")
	}
	return d.event(bridge.Event{
		ID:      d.text("event_id"),
		Type:    typePrefix + kind,
		Subject: d.first("event.channel", "event.channel.id", "event.item.channel", "event.channel_id", "event.user", "event.user.id"),
		Time:    stamp(cmp.Or(d.first("event.event_ts", "event.ts"), d.text("event_time"))),
	})
}

// TranslateCommand makes an event of the form of a slash command, sent at the given time. The id is
// its trigger_id. The data is a JSON object of the form's fields, without token.
func TranslateCommand(body []byte, at time.Time) (bridge.Event, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return bridge.Event{}, errors.New("the body is not a form")
	}
	return translateForm(form, at)
}

func translateForm(form url.Values, at time.Time) (bridge.Event, error) {
	d := document{}
	for k := range form {
		d[k] = strings.ToValidUTF8(form.Get(k), "\uFFFD")
	}
	if !strings.HasPrefix(d.text("command"), "/") {
		return bridge.Event{}, errors.New("command is missing")
	}
	return d.event(bridge.Event{
		ID:      d.text("trigger_id"),
		Type:    typeCommand,
		Subject: d.text("channel_id"),
		Time:    at,
	})
}

// TranslateInteraction makes an event of the form of an interaction, sent at the given time: a
// button (one event per request, also if it holds several actions), a shortcut, or a submitted
// view. The id is the trigger_id with the action's time. The data is the form's payload without
// token.
func TranslateInteraction(body []byte, at time.Time) (bridge.Event, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return bridge.Event{}, errors.New("the body is not a form")
	}
	return translatePayload([]byte(form.Get("payload")), at)
}

func translatePayload(payload []byte, at time.Time) (bridge.Event, error) {
	d, err := decode(payload)
	if err != nil {
		return bridge.Event{}, fmt.Errorf("payload: %w", err)
	}
	e := bridge.Event{ID: d.text("trigger_id"), Subject: d.first("channel.id", "container.channel_id", "user.id"), Time: at}
	acted := d.text("action_ts")
	switch d.text("type") {
	case "block_actions":
		e.Type = typeAction
		acted = cmp.Or(acted, d.list("actions").text("action_ts"))
	case "shortcut", "message_action":
		e.Type = typeShortcut
	case "view_submission":
		e.Type = typeView
		e.Subject = cmp.Or(d.text("view.callback_id"), e.Subject)
	default:
		return bridge.Event{}, errUnsupported
	}
	if e.ID != "" && acted != "" {
		e.ID += "#" + acted
	}
	if t := stamp(acted); !t.IsZero() {
		e.Time = t
	}
	return d.event(e)
}

// event completes e with what all of Slack's requests have.
func (d document) event(e bridge.Event) (bridge.Event, error) {
	if e.ID == "" || len(e.ID) > 300 || strings.ContainsFunc(e.ID, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return bridge.Event{}, errors.New("event_id or trigger_id is missing or not an id")
	}
	team := d.team()
	if team == "" {
		return bridge.Event{}, errors.New("team_id is missing")
	}
	e.Source = sourcePrefix + url.PathEscape(team)
	delete(d, "token")
	data, err := json.Marshal(d)
	if err != nil {
		return bridge.Event{}, fmt.Errorf("write the payload: %w", err)
	}
	e.Data = data
	return e, nil
}

// A document is a JSON object.
type document map[string]any

func decode(body []byte) (document, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber() // so that a number is written again as it came
	var d document
	if err := dec.Decode(&d); err != nil || d == nil {
		return nil, errors.New("the body is not one JSON object")
	}
	if dec.More() {
		return nil, errors.New("the body is more than one JSON object")
	}
	return d, nil
}

// text returns the text or number at a path of names with dots between them, or "".
func (d document) text(path string) string {
	var v any = map[string]any(d)
	for name := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	default:
		return ""
	}
}

func (d document) first(paths ...string) string {
	for _, p := range paths {
		if s := d.text(p); s != "" {
			return s
		}
	}
	return ""
}

// list returns the first object of a list.
func (d document) list(name string) document {
	if all := d.all(name); len(all) > 0 {
		return all[0]
	}
	return nil
}

func (d document) all(name string) (out []document) {
	list, _ := d[name].([]any)
	for _, v := range list {
		if m, ok := v.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

func (d document) team() string {
	return d.first("team_id", "team.id", "user.team_id", "enterprise_id", "enterprise.id")
}

// stamp reads Slack's timestamps: seconds with a fraction that tells messages apart.
func stamp(ts string) time.Time {
	seconds, fraction, _ := strings.Cut(ts, ".")
	s, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || s <= 0 || s > 1<<36 {
		return time.Time{}
	}
	micros, _ := strconv.ParseInt((fraction + "000000")[:6], 10, 64)
	return time.Unix(s, micros*1000).UTC()
}

// token says whether s is a word of 1 to 100 letters, digits and _.
func token(s string) bool {
	other := func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}
	return s != "" && len(s) <= 100 && !strings.ContainsFunc(s, other)
}
