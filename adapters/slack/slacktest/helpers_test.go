package slacktest

import (
	"errors"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

const testToken = "xoxb-1"

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// start returns a Slack at noon, its clock, and a client of its first workspace.
func start(t *testing.T) (*Server, *Clock, *slack.Client) {
	t.Helper()
	c := NewClock(noon)
	s, err := New(Options{Token: testToken, AppToken: "xapp-1", SigningSecret: "shh", Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, c, s.clientOf(testToken)
}

func (s *Server) clientOf(token string) *slack.Client {
	return slack.New(token, slack.OptionAPIURL(s.APIURL()), slack.OptionAppLevelToken("xapp-1"))
}

// word is Slack's in an error, "" for none.
func word(t *testing.T, err error) string {
	t.Helper()
	var refused slack.SlackErrorResponse
	var limited *slack.RateLimitedError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return refused.Err
	case errors.As(err, &limited):
		return "ratelimited"
	}
	t.Fatalf("not an error of Slack: %v", err)
	return ""
}

func say(text string) slack.MsgOption { return slack.MsgOptionText(text, false) }
