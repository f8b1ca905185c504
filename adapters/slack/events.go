package slack

import (
	"encoding/json"
	"errors"
	"net/http"

	"go.uber.org/zap"
)

// An envelope is what surrounds an event of the Events API:
// https://docs.slack.dev/apis/events-api/#receiving-events
type envelope struct {
	Type      string `json:"type"`
	Challenge string `json:"challenge"`
	TeamID    string `json:"team_id"`
	AppID     string `json:"api_app_id"`
	MinuteTS  int64  `json:"minute_rate_limited"`
	Event     struct {
		Type string `json:"type"`
		author
		Message  author `json:"message"`
		Previous author `json:"previous_message"`
	} `json:"event"`
	Authorizations []struct {
		UserID string `json:"user_id"`
		IsBot  bool   `json:"is_bot"`
	} `json:"authorizations"`
}

// An author is who made a message.
type author struct {
	AppID string `json:"app_id"`
	// User is a text in the events that concern loops; others have an object here.
	User       json.RawMessage `json:"user"`
	BotProfile struct {
		AppID string `json:"app_id"`
	} `json:"bot_profile"`
}

// Events is the handler of the Events API.
func (h *Webhooks) Events() http.Handler { return h.taking(h.takeEvent) }

func (h *Webhooks) takeEvent(w http.ResponseWriter, r *http.Request, req request) {
	var env envelope
	// A field of another type than expected is an event that this struct does not know.
	var other *json.UnmarshalTypeError
	if err := json.Unmarshal(req.body, &env); err != nil && !errors.As(err, &other) {
		h.malformed(w, errors.New("the body is not JSON"))
		return
	}
	switch env.Type {
	case "url_verification":
		answer(w, http.StatusOK, env.Challenge)
	case "app_rate_limited":
		h.observer.Refused(source, refusedRateLimited)
		h.log.Warn("slack holds events back: more than 30000 an hour for one workspace",
			zap.String("team", env.TeamID), zap.Int64("minute", env.MinuteTS))
		answer(w, http.StatusOK, "")
	default:
		e, err := TranslateEvent(req.body)
		if err != nil {
			h.malformed(w, err)
			return
		}
		if env.own() {
			h.observer.Refused(source, refusedOwn)
			answer(w, http.StatusOK, "")
			return
		}
		if h.publish(w, r, req, e) {
			answer(w, http.StatusOK, "")
		}
	}
}

// own says whether the bridge's own app caused the event. A rule on messages whose run reports to
// the same channel would start itself for ever.
func (env envelope) own() bool {
	for _, a := range []author{env.Event.author, env.Event.Message, env.Event.Previous} {
		if env.AppID != "" && (a.AppID == env.AppID || a.BotProfile.AppID == env.AppID) {
			return true
		}
	}
	switch env.Event.Type {
	case "message", "app_mention", "reaction_added", "reaction_removed":
	default: // to be invited to a channel is another one's doing
		return false
	}
	var user string
	if json.Unmarshal(env.Event.User, &user) != nil || user == "" {
		return false
	}
	for _, a := range env.Authorizations {
		if a.IsBot && a.UserID == user {
			return true
		}
	}
	return false
}
