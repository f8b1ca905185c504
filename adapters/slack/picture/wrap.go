package picture

import (
	"image/color"
	"strings"

	"golang.org/x/image/font"
)

// A piece is a word of a span with the space behind it.
type piece struct {
	span
	of    int // the span's place
	face  font.Face
	width float32
}

// fence is a block of code.
func (p pen) fence(text string, x, y, width float32) float32 {
	const inside = 8
	var lines [][]piece
	for _, line := range strings.Split(text, "\n") {
		lines = append(lines, p.wrap([]span{{Text: line, Code: true}}, width-2*inside, codeSize)...)
	}
	height := float32(len(lines))*codeSize*leading + 2*inside
	y += 4
	p.canvas.outlined(edge, codePaper, x, y, width, height, 4)
	for i, line := range lines {
		at := x + inside
		for _, piece := range line {
			p.canvas.text(piece.face, black, at, y+inside+(float32(i)+.76)*codeSize*leading, piece.Text)
			at += piece.width
		}
	}
	return y + height + 4
}

// flow draws spans in lines that are no wider than width.
func (p pen) flow(spans []span, x, y, width, size float32, ink color.Color) float32 {
	left := x
	for _, line := range p.wrap(spans, width, size) {
		p.backgrounds(line, x, y, size)
		for _, one := range line {
			p.piece(one, x, y, size, ink)
			x += one.width
		}
		x, y = left, y+size*leading
	}
	return y
}

// backgrounds are those of code and mentions, one for all pieces of a span.
func (p pen) backgrounds(line []piece, x, y, size float32) {
	for i := 0; i < len(line); {
		first, width := line[i], float32(0)
		for ; i < len(line) && line[i].of == first.of; i++ {
			width += line[i].width
		}
		switch {
		case first.Code:
			p.canvas.outlined(edge, codePaper, x-1, y+1, width+2, size*leading-2, 3)
		case first.Mention:
			p.canvas.box(calling, x-1, y+1, width+2, size*leading-2, 3)
		}
		x += width
	}
}

func (p pen) piece(one piece, x, y, size float32, ink color.Color) {
	base, bare := y+size*1.05, one.width
	if text := strings.TrimRight(one.Text, " "); text != one.Text {
		bare = measure(one.face, text)
	}
	switch {
	case one.Emoji != "":
		p.canvas.symbol(symbols[one.Emoji], x+1, y+size*.16, size*1.05)
		return
	case one.Code:
		ink = codeInk
	case one.Mention, one.Link != "":
		ink = linkInk
	}
	p.canvas.text(one.face, ink, x, base, one.Text)
	if one.Strike {
		p.canvas.box(ink, x, y+size*.72, bare, 1, 0)
	}
}

// wrap breaks spans into lines, between words and within those that are wider than a line.
func (p pen) wrap(spans []span, width, size float32) (lines [][]piece) {
	var line []piece
	used := float32(0)
	for _, one := range p.pieces(spans, width, size) {
		if used > 0 && used+measure(one.face, strings.TrimRight(one.Text, " ")) > width {
			lines, line, used = append(lines, line), nil, 0
		}
		line = append(line, one)
		used += one.width
	}
	return append(lines, line)
}

func (p pen) pieces(spans []span, width, size float32) (all []piece) {
	for i, s := range spans {
		face := p.face(s.Bold, s.Italic, s.Code, size)
		if s.Code {
			face = p.face(false, false, true, min(size, codeSize))
		}
		if s.Emoji != "" {
			all = append(all, piece{s, i, face, size * 1.25})
			continue
		}
		for _, word := range strings.SplitAfter(s.Text, " ") {
			for word != "" {
				head := fitting(face, word, width)
				one := piece{s, i, face, measure(face, head)}
				one.Text = head
				all, word = append(all, one), word[len(head):]
			}
		}
	}
	return all
}

// fitting is the beginning of a word that fits into a line: at least one character of it.
func fitting(face font.Face, word string, width float32) string {
	if len(word) < 40 && measure(face, word) <= width {
		return word
	}
	used := float32(0)
	for i, r := range word {
		advance, _ := face.GlyphAdvance(r)
		if used += float32(advance) / 64 / scale; used > width && i > 0 {
			return word[:i]
		}
	}
	return word
}
