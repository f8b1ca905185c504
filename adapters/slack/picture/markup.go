package picture

import (
	"regexp"
	"strings"
)

// A span is a stretch of text in one style.
type span struct {
	Text                       string
	Bold, Italic, Strike, Code bool
	Mention                    bool
	Link                       string
	Emoji                      string // its name, instead of a text
}

// A paragraph is a line of a text, or a block of code with its line breaks.
type paragraph struct {
	Fence, Quote bool
	Spans        []span
}

// paragraphs are a text's, as Slack shows them: https://docs.slack.dev/messaging/formatting-message-text
func (t Text) paragraphs() (all []paragraph) {
	if t.Type == "plain_text" {
		for _, line := range strings.Split(t.Text, "\n") {
			all = append(all, paragraph{Spans: emojis(span{Text: line})})
		}
		return all
	}
	for i, part := range strings.Split(t.Text, "```") {
		if i%2 == 1 {
			all = append(all, paragraph{Fence: true, Spans: []span{{Text: unescape(strings.Trim(part, "\n"))}}})
			continue
		}
		if part = strings.Trim(part, "\n"); part == "" {
			continue
		}
		for _, line := range strings.Split(part, "\n") {
			quote := strings.HasPrefix(line, "&gt;")
			line = strings.TrimPrefix(strings.TrimPrefix(line, "&gt;"), " ")
			all = append(all, paragraph{Quote: quote, Spans: inline(line)})
		}
	}
	return all
}

// token finds what means something within a line: code, an angle bracket, a stretch in another style.
var token = regexp.MustCompile("`[^`\n]+`|<[^<>\n]+>|\\*[^*\n]+\\*|(?:^|\\b)_[^_\n]+_(?:$|\\b)|~[^~\n]+~")

func inline(line string) (all []span) { return within(line, span{}) }

// within are the spans of a text that stands in a style already.
func within(text string, style span) (all []span) {
	for text != "" {
		at := token.FindStringIndex(text)
		if at == nil {
			break
		}
		all = append(all, plain(text[:at[0]], style)...)
		all = append(all, marked(text[at[0]:at[1]], style)...)
		text = text[at[1]:]
	}
	return append(all, plain(text, style)...)
}

func plain(text string, style span) []span {
	if text == "" {
		return nil
	}
	style.Text = unescape(text)
	return emojis(style)
}

// marked is a token in its style.
func marked(text string, style span) []span {
	inner := text[1 : len(text)-1]
	switch text[0] {
	case '`':
		style.Code, style.Text = true, unescape(inner)
		return []span{style}
	case '<':
		return []span{bracket(inner, style)}
	case '*':
		style.Bold = true
	case '_':
		style.Italic = true
	case '~':
		style.Strike = true
	}
	return within(inner, style)
}

// bracket is what stands in angle brackets: a link, a mention, a date.
func bracket(inner string, style span) span {
	target, shown, labelled := strings.Cut(inner, "|")
	switch {
	case strings.HasPrefix(target, "@"), strings.HasPrefix(target, "#"):
		style.Mention, style.Text = true, target
		if labelled {
			style.Text = target[:1] + unescape(shown)
		}
	case strings.HasPrefix(target, "!date^"):
		style.Text = unescape(shown)
		if parts := strings.Split(target, "^"); len(parts) > 3 {
			style.Link = unescape(parts[3])
		}
	case strings.HasPrefix(target, "!subteam^"):
		style.Mention, style.Text = true, "@"+strings.TrimPrefix(target, "!subteam^")
		if labelled {
			style.Text = unescape(shown)
		}
	case strings.HasPrefix(target, "!"):
		style.Mention, style.Text = true, "@"+strings.TrimPrefix(target, "!")
	default:
		style.Link = unescape(target)
		style.Text = style.Link
		if labelled {
			style.Text = unescape(shown)
		}
	}
	return style
}

var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

func unescape(s string) string { return entities.Replace(s) }

var shortcode = regexp.MustCompile(`:[a-z0-9_+-]+:`)

// emojis takes the emoji that are known out of a span.
func emojis(s span) (all []span) {
	text := s.Text
	for {
		at := shortcode.FindStringIndex(text)
		if at == nil {
			break
		}
		name := text[at[0]+1 : at[1]-1]
		if _, known := symbols[name]; !known {
			// The colon at its end may begin another one.
			s.Text, text = text[:at[1]-1], text[at[1]-1:]
			all = append(all, s)
			continue
		}
		if at[0] > 0 {
			s.Text = text[:at[0]]
			all = append(all, s)
		}
		e := s
		e.Text, e.Emoji = "", name
		all, text = append(all, e), text[at[1]:]
	}
	if text != "" || len(all) == 0 {
		s.Text = text
		all = append(all, s)
	}
	return all
}
