package logs

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// An ending keeps the last readBytes of what is written to it.
type ending struct {
	kept []byte
	cut  bool // something came before
}

func (e *ending) Write(p []byte) (int, error) {
	e.kept = append(e.kept, p...)
	if over := len(e.kept) - readBytes; over > 0 {
		e.kept, e.cut = append(e.kept[:0], e.kept[over:]...), true
	}
	return len(p), nil
}

// text is what was kept, from the beginning of a line. Where a single line is all, it begins with a word: half of a
// token would not be known as one.
func (e *ending) text() string {
	if !e.cut {
		return string(e.kept)
	}
	if _, rest, ok := bytes.Cut(e.kept, []byte("\n")); ok && len(rest) > 0 {
		return string(rest)
	}
	_, rest, _ := bytes.Cut(e.kept, []byte(" "))
	return string(rest)
}

// last are the last lines of a text that fit into what is shown.
func last(text string) []string {
	lines := strings.Split(strings.TrimRight(text, "\n "), "\n")
	lines = lines[max(0, len(lines)-maxLines):]
	room := maxBytes
	for i := len(lines) - 1; i >= 0; i-- {
		if room -= len(lines[i]) + 1; room >= 0 {
			continue
		}
		if i < len(lines)-1 {
			return lines[i+1:]
		}
		return []string{"…" + end(lines[i], maxBytes-len("…"))}
	}
	if len(lines) == 1 && lines[0] == "" {
		return nil
	}
	return lines
}

// end is the end of s, at most n bytes, from the beginning of a character.
func end(s string, n int) string {
	begin := len(s) - n
	for begin < len(s) && !utf8.RuneStart(s[begin]) {
		begin++
	}
	return s[begin:]
}
