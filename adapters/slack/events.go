package slack

import (
	"context"
	"encoding/json"
	"errors"

	"go.uber.org/zap"
)

// An envelope is what surrounds an event of the Events API:
// https://docs.slack.dev/apis/events-api/#receiving-events
type envelope struct {
	Type         string `json:"type"`
	Challenge    string `json:"challenge"`
	TeamID       string `json:"team_id"`
	AppID        string `json:"api_app_id"`
	MinuteTS     int64  `json:"minute_rate_limited"`
	EnterpriseID string `json:"enterprise_id"`
	Event        struct {
		Type string `json:"type"`
		author
		Message  author `json:"message"`
		Previous author `json:"previous_message"`
	} `json:"event"`
	Authorizations []struct {
		UserID       string `json:"user_id"`
		IsBot        bool   `json:"is_bot"`
		TeamID       string `json:"team_id"`
		EnterpriseID string `json:"enterprise_id"`
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

func (h *Inbox) takeEvent(ctx context.Context, d Delivery) (Response, *Refusal) {
	var env envelope
	// A field of another type than expected is an event that this struct does not know.
	var other *json.UnmarshalTypeError
	if err := json.Unmarshal(d.Event, &env); err != nil && !errors.As(err, &other) {
		return Response{}, malformed(errors.New("the body is not JSON"))
	}
	switch env.Type {
	case "url_verification":
		return Response{Text: env.Challenge}, nil
	case "app_rate_limited":
		h.ignore(refusedRateLimited)
		h.log.Warn("slack holds events back: more than 30000 an hour for one workspace",
			zap.String("team", env.TeamID), zap.Int64("minute", env.MinuteTS))
		return Response{}, nil
	}
	e, err := TranslateEvent(d.Event)
	if err != nil {
		return Response{}, malformed(err)
	}
	if env.own() {
		h.ignore(refusedOwn)
		return Response{}, nil
	}
	strange, refusal := h.strange(ctx, d, env.teams()...)
	if strange || refusal != nil {
		return Response{}, refusal
	}
	return Response{}, h.publish(ctx, d, e)
}

// teams are the workspaces and organisations whose installation of the app an event is delivered to: in a channel that
// workspaces share, it may have happened in another one. https://docs.slack.dev/apis/events-api/#authorizations
func (env envelope) teams() []string {
	all := []string{env.TeamID, env.EnterpriseID}
	for _, a := range env.Authorizations {
		all = append(all, a.TeamID, a.EnterpriseID)
	}
	return all
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
