package picture

import (
	"image/color"
	"image/png"
	"io"
	"strings"
)

// Measures of the picture, in units of the layout: those of Slack's own window, about.
const (
	pictureWidth = 680
	margin       = 20
	gutter       = 44 // of the app's picture
	textSize     = 15
	smallSize    = 13
	headerSize   = 18
	codeSize     = 12.5
	leading      = 1.42 // the height of a line, in sizes
	between      = 8    // blocks
)

var (
	black     = color.RGBA{0x1d, 0x1c, 0x1d, 0xff}
	dim       = color.RGBA{0x61, 0x60, 0x61, 0xff}
	linkInk   = color.RGBA{0x12, 0x64, 0xa3, 0xff}
	codeInk   = color.RGBA{0xc0, 0x13, 0x43, 0xff}
	codePaper = color.RGBA{0xf8, 0xf8, 0xf8, 0xff}
	edge      = color.RGBA{0xdc, 0xdc, 0xdc, 0xff}
	calling   = color.RGBA{0xe8, 0xf5, 0xfa, 0xff}
	white     = color.RGBA{0xff, 0xff, 0xff, 0xff}
	darkGreen = color.RGBA{0x00, 0x7a, 0x5a, 0xff}
	darkRed   = color.RGBA{0xe0, 0x1e, 0x5a, 0xff}
	paper     = color.RGBA{0xf4, 0xf4, 0xf4, 0xff}
)

// maxHeight bounds a picture; what is below is cut off.
const maxHeight = 6000

// WritePNG draws the message as a PNG, two pixels to a unit.
func (m Message) WritePNG(w io.Writer) error {
	fonts, err := newFonts()
	if err != nil {
		return err
	}
	measured := pen{fonts: fonts, canvas: newCanvas(1, 1)}
	height := min(measured.message(m), maxHeight)
	drawn := pen{fonts: fonts, canvas: newCanvas(pictureWidth, height)}
	drawn.message(m)
	return (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(w, paletted(drawn.canvas.image))
}

// A pen draws from the top to the bottom; what it draws takes y and returns where it has ended.
type pen struct {
	*fonts
	canvas canvas
}

func (p pen) message(m Message) float32 {
	y := float32(margin)
	if m.Text != "" {
		y = p.notification(m.Text, y)
	}
	p.canvas.box(color.RGBA{0xef, 0x7b, 0x4d, 0xff}, margin, y, 36, 36, 6)
	p.canvas.text(p.face(true, false, false, 15), white, margin+8, y+23, "ab")
	left, width := float32(margin+gutter), float32(pictureWidth-2*margin-gutter)
	name := p.face(true, false, false, textSize)
	p.canvas.text(name, black, left, y+14, "argo-bridge")
	at := left + measure(name, "argo-bridge") + 5
	p.canvas.box(color.RGBA{0xe8, 0xe8, 0xe8, 0xff}, at, y+3, 26, 13, 2)
	p.canvas.text(p.face(false, false, false, 10), dim, at+3, y+13, "APP")
	y = p.blocks(m.Blocks, left, y+24, width)
	for _, a := range m.Attachments {
		y += between
		top := y
		if len(a.Blocks) == 0 {
			y = p.text(Text{Text: a.Text}, left+14, y, width-14, textSize, black)
		}
		y = p.blocks(a.Blocks, left+14, y, width-14)
		p.canvas.box(parseColor(a.Color), left, top, 4, y-top, 2)
	}
	return y + margin
}

// notification is the line that a phone shows.
func (p pen) notification(text string, y float32) float32 {
	const inside = 8
	width := float32(pictureWidth - 2*margin)
	spans := []span{{Text: "Notification line  ", Bold: true}, {Text: unescape(text)}}
	height := p.flow(spans, margin+inside, y+inside, width-2*inside, smallSize, dim) - y + inside
	p.canvas.box(paper, margin, y, width, height, 8)
	p.flow(spans, margin+inside, y+inside, width-2*inside, smallSize, dim)
	return y + height + 14
}

func parseColor(c string) color.RGBA {
	hex := strings.TrimPrefix(string(safeColor(c)), "#")
	pair := func(i int) uint8 { return nibble(hex[i])<<4 | nibble(hex[i+1]) }
	return color.RGBA{pair(0), pair(2), pair(4), 0xff}
}

func nibble(b byte) uint8 {
	if b <= '9' {
		return b - '0'
	}
	return (b | 0x20) - 'a' + 10
}

func (p pen) blocks(all []Block, x, y, width float32) float32 {
	for i, b := range all {
		if i > 0 {
			y += between
		}
		y = p.block(b, x, y, width)
	}
	return y
}

func (p pen) block(b Block, x, y, width float32) float32 {
	switch b.Type {
	case "header":
		return p.styled(b.Text, x, y, width, headerSize, black, true)
	case "section", "markdown":
		return p.section(b, x, y, width)
	case "context":
		return p.context(b.Elements, x, y, width)
	case "actions":
		return p.actions(b.Elements, x, y, width)
	case "divider":
		p.canvas.box(edge, x, y+between/2, width, 1, 0)
		return y + between
	case "image":
		return p.text(Text{Text: "image: " + b.AltText}, x, y, width, smallSize, dim)
	case "input":
		return p.input(b, x, y, width)
	}
	return p.text(Text{Type: "plain_text", Text: b.Type + "\n" + strings.Join(b.Others, "\n")}, x, y, width, smallSize, dim)
}

func (p pen) section(b Block, x, y, width float32) float32 {
	top := y
	inner := width
	if b.Accessory != nil {
		size := p.size(*b.Accessory)
		inner -= size + 16
		p.element(*b.Accessory, x+width-size, y)
	}
	if b.Text.Text != "" {
		y = p.text(b.Text, x, y, inner, textSize, black)
	}
	for i := 0; i < len(b.Fields); i += 2 {
		if i > 0 {
			y += between
		}
		bottom := p.text(b.Fields[i], x, y, inner/2-8, textSize, black)
		if i+1 < len(b.Fields) {
			bottom = max(bottom, p.text(b.Fields[i+1], x+inner/2, y, inner/2, textSize, black))
		}
		y = bottom
	}
	if b.Accessory != nil {
		y = max(y, top+buttonHeight)
	}
	return y
}

func (p pen) context(all []Element, x, y, width float32) float32 {
	for _, e := range all {
		text := Text{Type: e.Type, Text: e.Text.Text}
		if e.Type == "image" {
			text = Text{Text: "image: " + e.AltText}
		}
		y = p.text(text, x, y, width, smallSize, dim)
	}
	return y
}
