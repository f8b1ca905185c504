package main

import "strings"

// boxWidth is how many columns a message has.
const boxWidth = 76

// A text is one line with its style.
type text struct {
	text  string
	style style
}

// drawBox draws a frame around the lines, which are wrapped to fit; its head is in the upper edge.
func drawBox(head string, lines []text) []text {
	width := boxWidth
	inner := width - 4
	top := "╭─ " + head + " "
	drawn := []text{{top + strings.Repeat("─", max(0, width-1-columns(top))) + "╮", plain}}
	for _, l := range lines {
		for _, part := range wrap(l.text, inner) {
			drawn = append(drawn, text{"│ " + part + strings.Repeat(" ", max(0, inner-columns(part))) + " │", l.style})
		}
	}
	return append(drawn, text{"╰" + strings.Repeat("─", width-2) + "╯", plain})
}

// wrap cuts a line at spaces, and within a word where the word is longer than the line.
func wrap(line string, width int) []string {
	if columns(line) <= width {
		return []string{line}
	}
	var parts []string
	indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
	current := indent
	for _, word := range strings.Fields(line) {
		joined := current + word
		if strings.TrimSpace(current) != "" {
			joined = current + " " + word
		}
		if columns(joined) <= width {
			current = joined
			continue
		}
		if strings.TrimSpace(current) != "" {
			parts = append(parts, current)
		}
		current = indent + word
		for columns(current) > width {
			head := firstColumns(current, width)
			parts = append(parts, head)
			current = indent + current[len(head):]
		}
	}
	return append(parts, current)
}

func firstColumns(s string, width int) string {
	used := 0
	for i, r := range s {
		if used += runeColumns(r); used > width {
			return s[:i]
		}
	}
	return s
}

// columns is how wide a terminal shows s.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

// runeColumns knows emoji and the wide scripts of East Asia (Unicode's UAX #11), as far as messages have them.
func runeColumns(r rune) int {
	switch {
	case r == 0xFE0F || r == 0x200D:
		return 0
	case r >= 0x1F000, r >= 0x2E80 && r <= 0xA4CF, r >= 0xAC00 && r <= 0xD7A3, r >= 0xF900 && r <= 0xFAFF, r >= 0xFF00 && r <= 0xFF60,
		r == '✅', r == '❌', r == '⛔':
		return 2
	}
	return 1
}
