package picture

import (
	"image/color"
	"strings"
	"unicode/utf8"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gobolditalic"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

// style is what a face is of.
type style struct {
	bold, italic, mono bool
	size               float32
}

// fonts makes faces of the Go fonts: https://go.dev/blog/go-fonts. Not for several goroutines.
type fonts struct {
	parsed map[style]*opentype.Font // without a size
	faces  map[style]font.Face
}

func newFonts() (*fonts, error) {
	f := &fonts{parsed: map[style]*opentype.Font{}, faces: map[style]font.Face{}}
	for s, ttf := range map[style][]byte{
		{}: goregular.TTF, {bold: true}: gobold.TTF, {italic: true}: goitalic.TTF, {bold: true, italic: true}: gobolditalic.TTF, {mono: true}: gomono.TTF,
	} {
		parsed, err := opentype.Parse(ttf)
		if err != nil {
			return nil, err
		}
		f.parsed[s] = parsed
	}
	return f, nil
}

func (f *fonts) face(bold, italic, mono bool, size float32) font.Face {
	if mono {
		bold, italic = false, false
	}
	s := style{bold, italic, mono, size}
	if known, ok := f.faces[s]; ok {
		return known
	}
	// It has no error for a font that is parsed and a size that is positive.
	made, err := opentype.NewFace(f.parsed[style{bold, italic, mono, 0}], &opentype.FaceOptions{Size: float64(size * scale), DPI: 72})
	if err != nil {
		return nil
	}
	f.faces[s] = made
	return made
}

// measure is how wide a text is.
func measure(face font.Face, s string) float32 {
	return float32(font.MeasureString(face, s)) / 64 / scale
}

// cutTo is the text as far as it fits.
func cutTo(face font.Face, s string, width float32) string {
	if s = oneLine(s); measure(face, s) <= width {
		return s
	}
	s = s[:min(len(s), 1000)]
	for s != "" && measure(face, s+"…") > width {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s + "…"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (p pen) text(t Text, x, y, width, size float32, ink color.Color) float32 {
	return p.styled(t, x, y, width, size, ink, false)
}

// styled draws a text's paragraphs.
func (p pen) styled(t Text, x, y, width, size float32, ink color.Color, bold bool) float32 {
	for _, one := range t.paragraphs() {
		if bold {
			for i := range one.Spans {
				one.Spans[i].Bold = true
			}
		}
		switch {
		case y > maxHeight:
			return y
		case one.Fence:
			y = p.fence(one.Spans[0].Text, x, y, width)
		case one.Quote:
			top := y
			y = p.flow(one.Spans, x+14, y, width-14, size, ink)
			p.canvas.box(edge, x, top, 4, y-top, 1)
		default:
			y = p.flow(one.Spans, x, y, width, size, ink)
		}
	}
	return y
}
