package main

import (
	"fmt"
	"strings"
	"unicode"
)

// plain is text of an outsider (a branch's name, a payload) without what a terminal obeys: escape
// sequences, and marks that turn the direction of writing. A line break stays.
func plain(text string) string {
	if strings.IndexFunc(text, obeyed) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if obeyed(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func obeyed(r rune) bool {
	return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}
