package alerts

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/slack-go/slack"
)

const (
	// MetadataType marks the bridge's messages in a channel's history; their payload's key is the alert's id, or the key of
	// a reply: https://docs.slack.dev/messaging/message-metadata
	MetadataType = "argo_bridge_notification"

	// clockMargin is how much Slack's clock may be behind the bridge's when a message is looked up: who cannot
	// tell the time within an hour takes no webhook of Slack's either.
	clockMargin = time.Hour
	// maxPages bounds how far back a message is looked for.
	maxPages = 50
)

// look finds a message of the bridge's by its key, among those since a time: its ts, or "" when it is not there.
func look(ctx context.Context, api *slack.Client, at place, key string, since time.Time) (ts string, err error) {
	oldest, cursor := strconv.FormatInt(since.Add(-clockMargin).Unix(), 10)+".000000", ""
	for range maxPages {
		var messages []slack.Message
		if messages, cursor, err = page(ctx, api, at, oldest, cursor); err != nil {
			return "", err
		}
		for _, m := range messages {
			if m.Metadata.EventType == MetadataType && m.Metadata.EventPayload["key"] == key {
				return m.Timestamp, nil
			}
		}
		if cursor == "" {
			return "", nil
		}
	}
	return "", fmt.Errorf("more than %d messages came after it", maxPages*pageSize)
}

func page(ctx context.Context, api *slack.Client, at place, oldest, cursor string) ([]slack.Message, string, error) {
	if at.thread != "" {
		messages, _, next, err := api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: at.channel, Timestamp: at.thread, Oldest: oldest, Cursor: cursor, Limit: pageSize, IncludeAllMetadata: true,
		})
		return messages, next, err
	}
	h, err := api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
		ChannelID: at.channel, Oldest: oldest, Cursor: cursor, Limit: pageSize, IncludeAllMetadata: true,
	})
	if err != nil {
		return nil, "", err
	}
	return h.Messages, h.ResponseMetaData.NextCursor, nil
}

// metadata marks a message as the bridge's.
func metadata(key string) slack.MsgOption {
	return slack.MsgOptionMetadata(slack.SlackMetadata{EventType: MetadataType, EventPayload: map[string]any{"key": key}})
}
