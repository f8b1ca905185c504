package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
	"go.uber.org/zap"
)

func (h *Inbox) takeCommand(ctx context.Context, d Delivery) (Response, *Refusal) {
	e, err := translateForm(d.Command, d.At)
	if err != nil {
		return Response{}, malformed(err)
	}
	strange, refusal := h.strange(ctx, d, d.Command.Get("team_id"), d.Command.Get("enterprise_id"))
	switch {
	case refusal != nil:
		return Response{}, refusal
	case strange:
		return private("This workspace is none of those that this bridge serves."), nil
	}
	if r, ok := h.atDesk(ctx, d); ok {
		return r, nil
	}
	h.note(ctx, d, e)
	if refusal := h.publish(ctx, d, e); refusal != nil {
		return Response{}, refusal
	}
	return private(h.outcome(ctx, d, e)), nil
}

// atDesk lets the desk answer a command that only reads.
func (h *Inbox) atDesk(ctx context.Context, d Delivery) (Response, bool) {
	if h.desk == nil {
		return Response{}, false
	}
	ctx, cancel := h.patience(ctx, d)
	defer cancel()
	answer, handled := h.desk.Command(ctx, d.Command)
	return Response{JSON: answer}, handled
}

// outcome is the text of the first answer. When it comes before the outcome, a goroutine follows
// it up at the response_url.
func (h *Inbox) outcome(ctx context.Context, d Delivery, e bridge.Event) string {
	command := d.Command.Get("command")
	accepted := "Accepted " + message.Code(command) + "."
	if h.answers == nil {
		return accepted
	}
	known := make(chan string, 1)
	if !h.background(func() { known <- h.await(e, command) }) {
		return accepted
	}
	patience := time.NewTimer(max(0, h.within-h.now().Sub(d.Arrived)))
	defer patience.Stop()
	select {
	case text := <-known:
		return text
	case <-patience.C:
	case <-ctx.Done(): // Slack has hung up; the response_url still works
	}
	h.background(func() { h.follow(e, d.Command.Get("response_url"), <-known) })
	return "Accepted " + message.Code(command) + "; what it started follows."
}

// await returns the text on what became of the event, after at most answerLater.
func (h *Inbox) await(e bridge.Event, command string) string {
	ctx, cancel := context.WithTimeout(h.closing, answerLater)
	defer cancel()
	record, err := h.answers.Await(ctx, e)
	if err != nil && !waits(record) {
		if h.closing.Err() == nil {
			h.log.Warn("outcome of a command not known", zap.String(bridge.LogEventID, e.ID), zap.Error(err))
		}
		return message.Code(command) + " is accepted, but what became of it is not known yet."
	}
	if text, ordered := h.ordered(record, e); ordered {
		return text
	}
	return describe(record, command, h.link)
}

// waits says that some rule that fits has to wait, which may take longer than anybody looks at the answer.
func waits(r bridge.Record) bool {
	return slices.ContainsFunc(r.Results, func(res bridge.Result) bool { return res.Verdict == bridge.Waiting })
}

// note keeps where the person is answered. Without it they hear less; the event is worth more.
func (h *Inbox) note(ctx context.Context, d Delivery, e bridge.Event) {
	if h.book == nil {
		return
	}
	ctx, cancel := h.patience(ctx, d)
	defer cancel()
	if err := h.book.Open(ctx, e); err != nil {
		h.log.Warn("where a command is answered is not kept", zap.String(bridge.LogEventID, e.ID), zap.Error(err))
	}
}

// follow posts a second answer: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
func (h *Inbox) follow(e bridge.Event, responseURL, text string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if h.book != nil {
		if err := h.book.Answer(ctx, e, text); err != nil {
			h.log.Warn("command not answered", zap.Error(err))
		}
		return
	}
	if responseURL == "" {
		return
	}
	err := slack.PostWebhookCustomHTTPContext(ctx, responseURL, h.client, &slack.WebhookMessage{
		Text: text, ResponseType: slack.ResponseTypeEphemeral,
	})
	if err != nil {
		h.unanswered(responseURL, err)
	}
}

// postAnswer posts a message in JSON that was too large for the answer itself.
func (h *Inbox) postAnswer(responseURL string, message []byte) {
	if responseURL == "" || message == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, responseURL, bytes.NewReader(message))
	if err == nil {
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		var answer *http.Response
		if answer, err = h.client.Do(r); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
			err = fmt.Errorf("slack answers %d", answer.StatusCode)
		}
	}
	h.unanswered(responseURL, err)
}

// unanswered logs that nobody was told. The address lets whoever has it answer in the user's channel.
func (h *Inbox) unanswered(responseURL string, err error) {
	h.log.Warn("command not answered", zap.String("error", strings.ReplaceAll(err.Error(), responseURL, "the response_url")))
}

// private is an answer for the eyes of who gave the command.
func private(text string) Response {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(map[string]string{"response_type": slack.ResponseTypeEphemeral, "text": text}) // texts alone
	return Response{JSON: b.Bytes()}
}
