package progress

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"

	own "github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// unnamedWait is how long to wait after a refusal for haste that names no time.
const unnamedWait = 30 * time.Second

// usable says whether the response_url still takes answers by its age.
func (e *entry) usable(now time.Time) bool {
	return e.URL != "" && now.Sub(e.At) < maxAge && e.Uses < maxUses
}

// respond answers at the response_url, unless only so many uses of it are left as are to be spared. The use is counted
// first. used is false where the URL takes no more.
func (p *Progress) respond(ctx context.Context, hash string, e *entry, text string, spare int) (used bool, err error) {
	counted := false
	now, err := p.change(ctx, hash, func(now *entry) bool {
		if counted = now.usable(p.o.Now()) && now.Uses < maxUses-spare; counted {
			now.Uses++
		}
		return counted
	})
	if err != nil || !counted {
		return false, err
	}
	e.Uses = now.Uses
	err = slack.PostWebhookCustomHTTPContext(ctx, now.URL, p.o.HTTP, &slack.WebhookMessage{
		Text: text, ResponseType: slack.ResponseTypeEphemeral, ReplaceOriginal: true,
	})
	var status slack.StatusCodeError
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &status) && status.Code/100 == 4 && status.Code != http.StatusTooManyRequests && status.Code != http.StatusRequestTimeout:
		e.URL = "" // it is over before its time: whoever uninstalls the app ends it
		_, err := p.change(ctx, hash, func(now *entry) bool { now.URL = ""; return true })
		return false, err
	}
	return false, p.fault("answer a command", err, now.URL)
}

// post tells it in the channel: in the message that was posted for the command, or in a new one. in and ts are that
// message; an answer for one pair of eyes has no ts.
func (p *Progress) post(ctx context.Context, e *entry) (in, ts string, err error) {
	api, err := p.o.Clients.Client(e.Team)
	if err != nil {
		return "", "", p.fault("tell how a command goes on", err, "")
	}
	text := slack.MsgOptionText(e.calls(), false)
	if e.TS != "" {
		_, _, _, err := api.UpdateMessageContext(ctx, e.In, e.TS, text)
		if word(err) != "message_not_found" && word(err) != "cant_update_message" {
			return e.In, e.TS, p.fault("tell how a command goes on", err, "")
		}
	}
	in, ts, err = api.PostMessageContext(ctx, e.Channel, text, slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
	if closed(err) {
		return p.whisper(ctx, e, e.says())
	}
	return in, ts, p.fault("tell how a command goes on", err, "")
}

// whisper tells somebody alone: in the channel, or where the app has no access to that, in their conversation with it.
func (p *Progress) whisper(ctx context.Context, e *entry, text string) (in, ts string, err error) {
	api, err := p.o.Clients.Client(e.Team)
	if err != nil || e.User == "" {
		return "", "", p.fault("answer a command", err, "")
	}
	option := slack.MsgOptionText(text, false)
	if _, err = api.PostEphemeralContext(ctx, e.Channel, e.User, option); closed(err) {
		in, ts, err = api.PostMessageContext(ctx, e.User, option)
	}
	return in, ts, p.fault("answer a command", err, "")
}

// closed says that the app, or the person, is not in the channel any more, or never was.
func closed(err error) bool {
	switch word(err) {
	case "not_in_channel", "channel_not_found", "user_not_in_channel", "is_archived", "restricted_action", "restricted_action_read_only_channel",
		"restricted_action_thread_only_channel", "posting_to_channel_denied":
		return true
	}
	return false
}

// word is Slack's own for why it refuses.
func word(err error) string {
	var refused slack.SlackErrorResponse
	if errors.As(err, &refused) {
		return refused.Err
	}
	return ""
}

// fault says of an error whether a retry can help, and takes tokens and the response_url out of it: that one lets whoever
// has it answer in the person's channel.
func (p *Progress) fault(what string, err error, responseURL string) error {
	if err == nil {
		return nil
	}
	text := p.o.Clients.Redact(err.Error())
	if responseURL != "" {
		text = strings.ReplaceAll(text, responseURL, "the response_url")
	}
	var limited *slack.RateLimitedError
	var status slack.StatusCodeError
	remedy, refused := own.Remedy(word(err))
	clean := fmt.Errorf("%s: %s", what, strings.TrimSuffix(text+": "+remedy, ": "))
	switch {
	case errors.As(err, &limited):
		return bridge.RetryAfter(clean, limited.RetryAfter)
	case word(err) == "ratelimited", errors.As(err, &status) && status.Code == http.StatusTooManyRequests:
		return bridge.RetryAfter(clean, unnamedWait)
	case refused, bridge.IsPermanent(err):
		return bridge.Permanent(clean)
	}
	return clean
}
