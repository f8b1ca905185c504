package slack

import (
	"slices"
	"strings"
)

// Args splits a command's text at white space. Single, double and typographic quotes, which Slack's
// clients put in place of straight ones, hold words together; a backslash takes the next character
// as it is. A quote that is never closed is a character like any other, and a single quote within a word,
// unless it stands behind =, an apostrophe.
func Args(text string) []any {
	args := []any{}
	runes := []rune(text)
	last := map[rune]int{} // where each closing quote stands last, so that none is looked for in vain
	for i, r := range runes {
		last[r] = i
	}
	var word []rune
	begun := false
	flush := func() {
		if begun {
			args = append(args, string(word))
		}
		word, begun = nil, false
	}
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case strings.ContainsRune(" \t\r\n\u00a0", r):
			flush()
			continue
		case r == '\\' && i+1 < len(runes):
			i++
			word = append(word, runes[i])
		case closing[r] != 0 && last[closing[r]] > i && (r != '\'' || !begun || len(word) > 0 && word[len(word)-1] == '='):
			end := i + 1 + slices.Index(runes[i+1:], closing[r])
			word = append(word, runes[i+1:end]...)
			i = end
		default:
			word = append(word, r)
		}
		begun = true
	}
	flush()
	return args
}

var closing = map[rune]rune{'"': '"', '\'': '\'', '\u201c': '\u201d', '\u2018': '\u2019'}
