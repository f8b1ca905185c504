package checks

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What others have written, such as the title of a pull request or a step's message, is shown as code: there it can
// neither mention anybody, nor link, nor format.

var backticks = regexp.MustCompile("`+")

// longest is the length of the longest run of backticks in s.
func longest(s string) int {
	n := 0
	for _, run := range backticks.FindAllString(s, -1) {
		n = max(n, len(run))
	}
	return n
}

// code shows s, on one line and cut to n bytes, as code within a line:
// https://spec.commonmark.org/0.31.2/#code-spans
func code(s string, n int) string {
	s = cut(strings.Join(strings.Fields(printable(s)), " "), n)
	if s == "" {
		return ""
	}
	fence := strings.Repeat("`", longest(s)+1)
	if len(fence) > 1 {
		s = " " + s + " "
	}
	return fence + s + fence
}

// block shows s as a block of code: https://spec.commonmark.org/0.31.2/#fenced-code-blocks
func block(s string) string {
	fence := strings.Repeat("`", max(3, longest(s)+1))
	return fence + "text\n" + strings.TrimRight(s, "\n") + "\n" + fence + "\n"
}

// printable drops what is invisible, but for the ends of lines and tabs.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// link is a link with the text, which is Markdown, or the text alone where the address is none of the web.
func link(text, address string) string {
	if address = webAddress(address); address == "" {
		return text
	}
	return "[" + text + "](<" + address + ">)"
}

// webAddress is the address if it is one of the web, and else empty.
func webAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(address) > 2000 {
		return ""
	}
	return strings.NewReplacer("<", "%3C", ">", "%3E", " ", "%20", "\\", "%5C").Replace(u.String())
}

const ellipsis = "…"

// cut shortens s to n bytes at most, between two characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	end := max(0, n-len(ellipsis))
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	if n < len(ellipsis) {
		return ""
	}
	return s[:end] + ellipsis
}

// cutCharacters shortens s to n characters at most.
func cutCharacters(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + ellipsis
}
