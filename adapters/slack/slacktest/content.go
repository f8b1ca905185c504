package slacktest

import (
	"encoding/json"
	"net/url"
	"slices"
	"unicode/utf8"
)

// maxText is where Slack cuts a message's text: https://docs.slack.dev/reference/methods/chat.postMessage#truncating
const maxText = 40000

// content is what a message shows.
type content struct {
	text                string
	blocks, attachments json.RawMessage // nil: not given
	metadata            *Metadata
}

// read takes the content of a call apart; word is Slack's for what is wrong with it.
func read(form url.Values) (m content, word, detail string) {
	m.text = form.Get("text")
	if form.Has("blocks") && form.Get("blocks") != "" {
		m.blocks = json.RawMessage(form.Get("blocks"))
	}
	if form.Has("attachments") && form.Get("attachments") != "" {
		m.attachments = json.RawMessage(form.Get("attachments"))
	}
	if md := form.Get("metadata"); md != "" {
		m.metadata = &Metadata{}
		if json.Unmarshal([]byte(md), m.metadata) != nil {
			return m, "invalid_metadata_format", ""
		}
		if m.metadata.EventType == "" && len(m.metadata.Payload) > 0 {
			return m, "invalid_metadata_schema", ""
		}
	}
	if utf8.RuneCountInString(m.text) > maxText {
		return m, "msg_too_long", ""
	}
	word, detail = CheckMessage(m.blocks, m.attachments)
	return m, word, detail
}

// empty says that there is nothing to show.
func empty(text string, lists ...json.RawMessage) bool {
	return text == "" && !slices.ContainsFunc(lists, func(l json.RawMessage) bool { return len(l) > 0 && string(l) != "[]" })
}
