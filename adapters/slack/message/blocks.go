package message

import "github.com/slack-go/slack"

// Bounds of one message's parts, in characters. Slack's own are 150 for a header, 3000 for a section, 2000 for a field,
// 75 for a button, and some 9600 for all blocks together, which no page of Slack's says:
// https://docs.slack.dev/reference/block-kit/blocks, https://github.com/slackapi/bolt-js/issues/2867
const (
	maxAll        = 9597
	maxBlocks     = 50
	maxHeader     = 150
	maxSection    = 2900
	maxSentence   = 1000
	maxMentions   = 500
	maxField      = 300
	maxLink       = 700  // of an address with its text
	maxMessage    = 1500 // of failed steps
	maxLog        = 900  // in the channel
	maxParameters = 1100
	maxParameter  = 200
	maxNotes      = 600
	maxFault      = 400 // of what is wrong with an author's blocks
	maxOwnText    = 2   // sections
)

func header(text string) slack.Block {
	return slack.NewHeaderBlock(&slack.TextBlockObject{Type: slack.PlainTextType, Text: Cut(text, maxHeader), Emoji: new(true)})
}

func section(text string) slack.Block { return slack.NewSectionBlock(mrkdwn(text), nil, nil) }

func context(text string) slack.Block { return slack.NewContextBlock("", mrkdwn(text)) }

// mrkdwn is verbatim, so that Slack looks for no names of channels and users in it.
func mrkdwn(text string) *slack.TextBlockObject {
	return &slack.TextBlockObject{Type: slack.MarkdownType, Text: text, Verbatim: true}
}

func plain(text string) *slack.TextBlockObject {
	return &slack.TextBlockObject{Type: slack.PlainTextType, Text: text, Emoji: new(true)}
}
