package slack

import (
	"context"
	"encoding/json"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A Book keeps where whoever gave a command is answered, so that whichever process hears of its runs can say so there. Safe
// for concurrent use.
type Book interface {
	// Open notes it, before the event is stored. Noting it again changes nothing.
	Open(ctx context.Context, e bridge.Event) error
	// Answer tells who gave the command of an event something, for their eyes only.
	Answer(ctx context.Context, e bridge.Event, text string) error
}

// An Asker is who gave a command, and where they are answered.
type Asker struct {
	Team, Channel, User string
	// ResponseURL is the command's, and At when it was given.
	ResponseURL string
	At          time.Time
}

// AskerOf is who gave the command, or filled in the form, that an event is; ok is false for other events.
func AskerOf(e bridge.Event) (a Asker, ok bool) {
	if e.Type != typeCommand && e.Type != typeView {
		return a, false
	}
	d, err := decode(e.Data)
	if err != nil {
		return a, false
	}
	a = Asker{Team: d.team(), User: d.first("user_id", "user.id"), Channel: d.text("channel_id"), ResponseURL: d.text("response_url"), At: e.Time}
	if e.Type == typeView {
		f, ours := formOf(d)
		if !ours {
			return a, false
		}
		a.Channel, a.ResponseURL = f.Channel, f.ResponseURL
		if f.At != 0 {
			a.At = time.Unix(f.At, 0).UTC()
		}
	}
	return a, userID.MatchString(a.User) && channelID.MatchString(a.Channel)
}

// formOf reads what the bridge's own form carries.
func formOf(d document) (f Form, ours bool) {
	if d.text("view.callback_id") != FormID {
		return f, false
	}
	return f, json.Unmarshal([]byte(d.text("view.private_metadata")), &f) == nil
}
