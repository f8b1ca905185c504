package picture

import (
	"image"
	"image/color"
)

// paletted is the picture with one byte a pixel, which makes its file a fraction as large. Where it has more than 256
// colours, those that are alike become one: nobody sees it, but for shades of white, which stay.
func paletted(from *image.RGBA) image.Image {
	for _, bits := range []uint32{0xffffff, 0xf8f8f8, 0xf0f0f0, 0xe0e0e0} {
		if to := indexed(from, bits); to != nil {
			return to
		}
	}
	return from
}

// indexed is nil where more than 256 colours differ in bits.
func indexed(from *image.RGBA, bits uint32) *image.Paletted {
	to := image.NewPaletted(from.Bounds(), nil)
	known := map[uint32]uint8{}
	last, index := uint32(1)<<31, uint8(0) // no colour
	for i := range to.Pix {
		p := from.Pix[4*i : 4*i+4]
		rgb := uint32(p[0])<<16 | uint32(p[1])<<8 | uint32(p[2])
		if rgb == last {
			to.Pix[i] = index
			continue
		}
		last = rgb
		if rgb&0xf0f0f0 != 0xf0f0f0 {
			rgb &= bits
		}
		seen, ok := known[rgb]
		if !ok {
			if len(to.Palette) == 256 {
				return nil
			}
			seen = uint8(len(to.Palette))
			known[rgb] = seen
			to.Palette = append(to.Palette, color.RGBA{p[0], p[1], p[2], 0xff})
		}
		index, to.Pix[i] = seen, seen
	}
	return to
}
