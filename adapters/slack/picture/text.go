package picture

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// WriteText writes the message for a terminal: links are shown behind their texts. Colours are those of ANSI, and left
// out unless coloured is set.
func (m Message) WriteText(w io.Writer, coloured bool) error {
	t := terminal{coloured: coloured}
	t.blocks(m.Blocks)
	if len(m.Blocks) == 0 && m.Text != "" {
		t.text(Text{Text: m.Text}, "")
	}
	for _, a := range m.Attachments {
		t.bar = t.paint("┃ ", foreground(a.Color))
		t.blocks(a.Blocks)
		if len(a.Blocks) == 0 {
			t.text(Text{Text: a.Text}, "")
		}
		t.bar = ""
	}
	if m.Text != "" {
		t.out.WriteString("\n" + t.paint("Notification line: ", faint) + unescape(m.Text) + "\n")
	}
	_, err := io.WriteString(w, t.out.String())
	return err
}

// ANSI's words for how a text is shown.
const (
	bold   = "1"
	faint  = "2"
	italic = "3"
	under  = "4"
	cyan   = "36"
)

// foreground is ANSI's word for a colour such as #e01e5a.
func foreground(hex string) string {
	rgb, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 32)
	if err != nil {
		return faint
	}
	return fmt.Sprintf("38;2;%d;%d;%d", rgb>>16&0xff, rgb>>8&0xff, rgb&0xff)
}

type terminal struct {
	coloured bool
	bar      string
	out      strings.Builder
}

func (t *terminal) paint(s string, how ...string) string {
	if !t.coloured || s == "" || len(how) == 0 {
		return s
	}
	return "\x1b[" + strings.Join(how, ";") + "m" + s + "\x1b[0m"
}

func (t *terminal) line(s string) {
	t.out.WriteString(strings.TrimRight(t.bar+s, " ") + "\n")
}

func (t *terminal) blocks(all []Block) {
	for i, b := range all {
		if i > 0 && b.Type != "context" {
			t.line("")
		}
		t.block(b)
	}
}

func (t *terminal) block(b Block) {
	switch b.Type {
	case "header":
		t.text(b.Text, bold)
	case "section", "markdown":
		t.text(b.Text, "")
		for _, f := range b.Fields {
			t.field(f)
		}
		if b.Accessory != nil {
			t.line(t.element(*b.Accessory))
		}
	case "context":
		t.each(b.Elements, "  ")
	case "actions":
		t.each(b.Elements, " ")
	case "divider":
		t.line(strings.Repeat("─", 40))
	case "image":
		t.line("[image: " + b.AltText + "]")
	case "input":
		t.input(b)
	default:
		t.line(t.paint("["+b.Type+"]", faint))
		for _, text := range b.Others {
			t.line(text)
		}
	}
}

// each writes elements into one line, texts of several lines into their own.
func (t *terminal) each(all []Element, between string) {
	var line []string
	for _, e := range all {
		line = append(line, t.element(e))
	}
	for _, part := range strings.Split(strings.Join(line, between), "\n") {
		t.line(part)
	}
}

// field is a name and its value in one line.
func (t *terminal) field(f Text) {
	var parts []string
	for _, p := range f.paragraphs() {
		parts = append(parts, t.spans(p.Spans, ""))
	}
	t.line(strings.Join(parts, ": "))
}

func (t *terminal) text(text Text, how string) {
	if text.Text == "" {
		return
	}
	for _, p := range text.paragraphs() {
		switch {
		case p.Fence:
			for _, line := range strings.Split(p.Spans[0].Text, "\n") {
				t.line("    " + printable(line))
			}
		case p.Quote:
			t.line("| " + t.spans(p.Spans, how))
		default:
			t.line(t.spans(p.Spans, how))
		}
	}
}

func (t *terminal) input(b Block) {
	label := t.spans(Text{Type: "plain_text", Text: b.Label.Text}.paragraphs()[0].Spans, bold)
	if b.Optional {
		label += t.paint(" (optional)", faint)
	}
	t.line(label)
	if b.Element != nil {
		t.line(t.element(*b.Element))
	}
	if b.Hint.Text != "" {
		t.line(t.paint(printable(b.Hint.Text), faint))
	}
}

func (t *terminal) element(e Element) string {
	switch e.Type {
	case "mrkdwn", "plain_text":
		var lines []string
		for _, p := range (Text{Type: e.Type, Text: e.Text.Text}).paragraphs() {
			lines = append(lines, t.spans(p.Spans, faint))
		}
		return strings.Join(lines, "\n")
	case "image":
		return "[image: " + e.AltText + "]"
	case "plain_text_input":
		return "[ " + printable(e.InitialValue) + strings.Repeat("_", max(2, 20-len(e.InitialValue))) + " ]"
	case "static_select":
		return "[ " + chosen(e) + " ▾ ]"
	case "button":
		return t.paint("["+printable(e.Text.Text)+"]", cmp.Or(map[string]string{"primary": "32", "danger": "31"}[e.Style], bold))
	}
	return "[" + e.Type + "]"
}

// chosen is what a menu shows before somebody chooses.
func chosen(e Element) string {
	switch {
	case e.InitialOption != nil:
		return e.InitialOption.Text.Text
	case e.Placeholder.Text != "":
		return e.Placeholder.Text
	}
	return "Select an item"
}

func (t *terminal) spans(all []span, how string) string {
	b := strings.Builder{}
	for _, s := range all {
		b.WriteString(t.span(s, how))
	}
	return b.String()
}

func (t *terminal) span(s span, how string) string {
	if s.Emoji != "" {
		return symbols[s.Emoji].char
	}
	styles := []string{}
	if how != "" {
		styles = append(styles, how)
	}
	for _, style := range []struct {
		word string
		is   bool
	}{{bold, s.Bold}, {italic, s.Italic}, {cyan, s.Code || s.Mention}} {
		if style.is {
			styles = append(styles, style.word)
		}
	}
	if s.Link == "" || s.Link == s.Text {
		return t.paint(printable(s.Text), styles...)
	}
	return t.paint(printable(s.Text), append(styles, under)...) + t.paint(" ("+printable(s.Link)+")", faint)
}

// printable drops what moves a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}
