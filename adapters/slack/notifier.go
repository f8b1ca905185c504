package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

const (
	// DefaultAPIURL is the root of Slack's Web API.
	DefaultAPIURL = slack.APIURL
	// MetadataType marks the bridge's messages in a channel's history; their payload's key is the
	// notification's: https://docs.slack.dev/messaging/message-metadata
	MetadataType = "argo_bridge_notification"

	// requestTimeout bounds one call of the API.
	requestTimeout = 15 * time.Second
	// clockMargin is how much Slack's clock may be behind the bridge's when a message is looked up: who cannot
	// tell the time within an hour takes no webhook of Slack's either.
	clockMargin = time.Hour
	// Pages of a history that are searched, and messages on each.
	maxPages, pageSize = 50, 200
)

// Notifier posts notifications of the scheme slack: slack:#channel, slack:@user, slack:C024BE91L,
// and slack:reply, which is the channel or thread of the command or mention that started the run.
//
// The app needs the scope chat:write; channels:read and groups:read to look up #names, users:read
// and im:write for @users, channels:history, groups:history and im:history to recognise a message
// whose sending was interrupted. It must be a member of the channels that it posts to.
type Notifier struct {
	api    *slack.Client
	token  string
	places places
}

// NotifierOptions are what a Notifier can do without.
type NotifierOptions struct {
	APIURL string // default: DefaultAPIURL
	// Client makes the requests. Default: one with a timeout of 15 s.
	Client *http.Client
}

var (
	_ bridge.Notifier = (*Notifier)(nil)
	_ bridge.Finder   = (*Notifier)(nil)
)

// NewNotifier posts as the app that the bot token belongs to.
func NewNotifier(token string, o NotifierOptions) *Notifier {
	if o.APIURL == "" {
		o.APIURL = DefaultAPIURL
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: requestTimeout}
	}
	api := slack.New(token, slack.OptionAPIURL(strings.TrimRight(o.APIURL, "/")+"/"), slack.OptionHTTPClient(o.Client))
	return &Notifier{api: api, token: token, places: places{api: api}}
}

// Notify posts the message. See [bridge.Notifier].
func (s *Notifier) Notify(ctx context.Context, n bridge.Notification) error {
	at, err := s.places.find(ctx, n, false)
	if err != nil {
		return s.fault(n, err)
	}
	options := append(message.Message(message.Of(n)).Options(),
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: MetadataType, EventPayload: map[string]any{"key": n.Key}}),
		slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl(),
	)
	if at.thread != "" {
		options = append(options, slack.MsgOptionTS(at.thread))
	}
	channel, ts, err := s.api.PostMessageContext(ctx, at.channel, options...)
	if err == nil && ts == "" {
		err = errors.New("slack's answer says neither that it took the message nor why not")
	}
	if err != nil {
		return s.fault(n, err)
	}
	s.places.learn(n.To.Target, channel)
	return nil
}

// Sent looks for the message in the channel's history since shortly before the notification was
// made. See [bridge.Finder].
func (s *Notifier) Sent(ctx context.Context, n bridge.Notification) (bool, error) {
	at, err := s.places.find(ctx, n, true)
	if err != nil {
		return false, s.fault(n, err)
	}
	oldest := ""
	if !n.Created.IsZero() {
		oldest = strconv.FormatInt(n.Created.Add(-clockMargin).Unix(), 10) + ".000000"
	}
	cursor := ""
	for range maxPages {
		var messages []slack.Message
		messages, cursor, err = s.page(ctx, at, oldest, cursor)
		if err != nil {
			return false, s.fault(n, err)
		}
		for _, m := range messages {
			if m.Metadata.EventType == MetadataType && m.Metadata.EventPayload["key"] == n.Key {
				return true, nil
			}
		}
		if cursor == "" {
			return false, nil
		}
	}
	return false, s.fault(n, fmt.Errorf("more than %d messages came after it", maxPages*pageSize))
}

func (s *Notifier) page(ctx context.Context, at place, oldest, cursor string) ([]slack.Message, string, error) {
	if at.thread != "" {
		messages, _, next, err := s.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: at.channel, Timestamp: at.thread, Oldest: oldest, Cursor: cursor, Limit: pageSize, IncludeAllMetadata: true,
		})
		return messages, next, err
	}
	h, err := s.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
		ChannelID: at.channel, Oldest: oldest, Cursor: cursor, Limit: pageSize, IncludeAllMetadata: true,
	})
	if err != nil {
		return nil, "", err
	}
	return h.Messages, h.ResponseMetaData.NextCursor, nil
}
