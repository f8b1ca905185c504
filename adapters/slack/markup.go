package slack

import (
	"net/url"
	"regexp"
	"strings"
)

// escape makes text harmless in Slack's markup: without & < > it can neither link nor mention
// anybody. https://docs.slack.dev/messaging/formatting-message-text#escaping
func escape(s string) string { return escaper.Replace(s) }

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// code shows s as code within a line.
func code(s string) string {
	s = strings.NewReplacer("`", "'", "\n", " ", "\r", " ").Replace(s)
	if strings.TrimSpace(s) == "" {
		return "` `"
	}
	return "`" + escape(s) + "`"
}

// fence shows s as a block of code.
func fence(s string) string {
	return "```\n" + escape(strings.ReplaceAll(s, "```", "'''")) + "\n```"
}

// anchor links the text to an http(s) address, or is the text alone for any other.
func anchor(address, text string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || len(address) > 2000 {
		return escape(text)
	}
	address = strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", " ", "%20", "\n", "%0A").Replace(u.String())
	return "<" + strings.ReplaceAll(address, "&", "&amp;") + "|" + escape(strings.NewReplacer("\n", " ", "|", "¦").Replace(text)) + ">"
}

var bareAddress = regexp.MustCompile(`https?://[^\s<>|"'` + "`" + `)]*[^\s<>|"'` + "`" + `).,:!?]`)

// linked escapes s and makes links of its bare addresses, which Slack does not do in verbatim text.
func linked(s string) string {
	return bareAddress.ReplaceAllString(escape(s), "<$0>")
}

// cut shortens s to n of what Slack counts as characters (UTF-16 units; the stricter reading).
func cut(s string, n int) string {
	head, rest := split(s, n, width)
	if rest == "" {
		return head
	}
	head, _ = split(s, n-1, width)
	return strings.TrimRight(head, " \n") + "…"
}

// cutEscaped shortens s so that it has at most n characters once it is escaped.
func cutEscaped(s string, n int) string {
	head, rest := split(s, n, escapedWidth)
	if rest == "" {
		return head
	}
	head, _ = split(s, n-1, escapedWidth)
	return strings.TrimRight(head, " \n") + "…"
}

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
