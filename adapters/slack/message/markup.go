package message

import (
	"net/url"
	"regexp"
	"strings"
)

// Escape makes text harmless in Slack's markup: without & < > it can neither link nor mention
// anybody. https://docs.slack.dev/messaging/formatting-message-text#escaping
func Escape(s string) string { return escaper.Replace(s) }

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Code shows s as code within a line.
func Code(s string) string {
	s = strings.NewReplacer("`", "'", "\n", " ", "\r", " ").Replace(s)
	if strings.TrimSpace(s) == "" {
		return "` `"
	}
	return "`" + Escape(s) + "`"
}

// Fence shows s as a block of code.
func Fence(s string) string {
	return "```\n" + Escape(strings.ReplaceAll(s, "```", "'''")) + "\n```"
}

// Anchor links the text to an http(s) address, or is the text alone for any other.
func Anchor(address, text string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || len(address) > 2000 {
		return Escape(text)
	}
	address = strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", " ", "%20", "\n", "%0A").Replace(u.String())
	return "<" + strings.ReplaceAll(address, "&", "&amp;") + "|" + Escape(strings.NewReplacer("\n", " ", "|", "¦").Replace(text)) + ">"
}

// shortAnchor leaves out a link that takes more room than a line has.
func shortAnchor(address, text string) string {
	if linked := Anchor(address, text); len(linked) <= maxLink {
		return linked
	}
	return Escape(text)
}

var bareAddress = regexp.MustCompile(`https?://[^\s<>|"'` + "`" + `)]*[^\s<>|"'` + "`" + `).,:!?]`)

// linked escapes s and makes links of its bare addresses, which Slack does not do in verbatim text.
func linked(s string) string {
	return bareAddress.ReplaceAllString(Escape(s), "<$0>")
}

// Cut shortens s to n of what Slack counts as characters (UTF-16 units; the stricter reading).
func Cut(s string, n int) string { return cutBy(s, n, width) }

// CutEscaped shortens s so that it has at most n characters once it is escaped.
func CutEscaped(s string, n int) string { return cutBy(s, n, escapedWidth) }

func cutBy(s string, n int, width func(rune) int) string {
	head, rest := split(s, n, width)
	if rest == "" {
		return head
	}
	head, _ = split(s, n-1, width)
	return strings.TrimRight(head, " \n") + "…"
}

// cutMarkup shortens Slack's markup to n characters, not within a mention or link, nor within an entity.
func cutMarkup(s string, n int) string {
	short := Cut(s, n)
	if short == s {
		return s
	}
	short = strings.TrimSuffix(short, "…")
	if open := strings.LastIndexByte(short, '<'); open > strings.LastIndexByte(short, '>') {
		short = short[:open]
	}
	if open := strings.LastIndexByte(short, '&'); open >= 0 && open > len(short)-len("&amp;") && !strings.Contains(short[open:], ";") {
		short = short[:open]
	}
	if strings.Count(short, "```")%2 == 1 {
		if short, _ = split(short, n-len("\n```…"), width); strings.Count(short, "```")%2 == 1 {
			short += "\n```"
		}
	}
	return strings.TrimRight(short, " ") + "…"
}

// oneLine is the text without line breaks.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func split(s string, n int, width func(rune) int) (head, rest string) {
	used := 0
	for i, r := range s {
		if used += width(r); used > n {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

func width(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

func escapedWidth(r rune) int {
	switch r {
	case '&':
		return len("&amp;")
	case '<', '>':
		return len("&lt;")
	}
	return width(r)
}
