package picture

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// scale is how many pixels a unit of the layout has on each side.
const scale = 2

// A canvas is what is drawn on; lengths are in units of the layout.
type canvas struct{ image *image.RGBA }

func newCanvas(width, height float32) canvas {
	c := canvas{image.NewRGBA(image.Rect(0, 0, int(width*scale), int(height*scale)))}
	draw.Draw(c.image, c.image.Bounds(), image.White, image.Point{}, draw.Src)
	return c
}

// A point is a corner of a polygon.
type point struct{ x, y float32 }

// fill draws a polygon.
func (c canvas) fill(ink color.Color, points ...point) {
	c.rasterize(ink, points, func(v *vector.Rasterizer, of func(point) (x, y float32)) {
		v.MoveTo(of(points[0]))
		for _, p := range points[1:] {
			v.LineTo(of(p))
		}
	})
}

// rasterize fills what draw outlines; of turns a point of the layout into one of the rasterizer, which is no larger than
// the corners say.
func (c canvas) rasterize(ink color.Color, corners []point, draw func(v *vector.Rasterizer, of func(point) (x, y float32))) {
	low, high := corners[0], corners[0]
	for _, p := range corners {
		low = point{min(low.x, p.x), min(low.y, p.y)}
		high = point{max(high.x, p.x), max(high.y, p.y)}
	}
	bounds := image.Rect(int(low.x*scale), int(low.y*scale), int(high.x*scale)+2, int(high.y*scale)+2).Intersect(c.image.Bounds())
	if bounds.Empty() {
		return
	}
	at := bounds.Min
	v := vector.NewRasterizer(bounds.Dx(), bounds.Dy())
	draw(v, func(p point) (float32, float32) { return p.x*scale - float32(at.X), p.y*scale - float32(at.Y) })
	v.ClosePath()
	v.Draw(c.image, bounds, image.NewUniform(ink), image.Point{})
}

// box draws a rectangle with round corners of radius r.
func (c canvas) box(ink color.Color, x, y, w, h, r float32) {
	r = min(r, w/2, h/2)
	// How far from the corner the handle stands by which a Bézier curve is a quarter of a circle.
	k := r * 0.4477
	c.rasterize(ink, []point{{x, y}, {x + w, y + h}}, func(v *vector.Rasterizer, of func(point) (x, y float32)) {
		corner := func(ax, ay, bx, by, toX, toY float32) {
			ax, ay = of(point{ax, ay})
			bx, by = of(point{bx, by})
			toX, toY = of(point{toX, toY})
			v.CubeTo(ax, ay, bx, by, toX, toY)
		}
		v.MoveTo(of(point{x + r, y}))
		v.LineTo(of(point{x + w - r, y}))
		corner(x+w-k, y, x+w, y+k, x+w, y+r)
		v.LineTo(of(point{x + w, y + h - r}))
		corner(x+w, y+h-k, x+w-k, y+h, x+w-r, y+h)
		v.LineTo(of(point{x + r, y + h}))
		corner(x+k, y+h, x, y+h-k, x, y+h-r)
		v.LineTo(of(point{x, y + r}))
		corner(x, y+k, x+k, y, x+r, y)
	})
}

// outlined draws a box with a border.
func (c canvas) outlined(border, inside color.Color, x, y, w, h, r float32) {
	c.box(border, x, y, w, h, r)
	c.box(inside, x+0.5, y+0.5, w-1, h-1, r-0.5)
}

// text draws a string whose base line is at y.
func (c canvas) text(face font.Face, ink color.Color, x, y float32, s string) {
	d := font.Drawer{Dst: c.image, Src: image.NewUniform(ink), Face: face, Dot: fixed.Point26_6{X: fixed.Int26_6(x * scale * 64), Y: fixed.Int26_6(y * scale * 64)}}
	d.DrawString(s)
}

// symbol draws an emoji into a square of that size.
func (c canvas) symbol(s symbol, x, y, size float32) {
	at := func(dx, dy float32) point { return point{x + dx*size, y + dy*size} }
	line := func(ink color.Color, ax, ay, bx, by, wide float32) {
		// A stroke that is as wide in x as in y: good enough for strokes of such a length.
		c.fill(ink, at(ax-wide, ay+wide), at(ax+wide, ay-wide), at(bx+wide, by-wide), at(bx-wide, by+wide))
	}
	white := color.White
	switch s.shape {
	case cross:
		c.fill(s.color, at(.05, .2), at(.2, .05), at(.95, .8), at(.8, .95))
		c.fill(s.color, at(.8, .05), at(.95, .2), at(.2, .95), at(.05, .8))
	case check:
		c.box(s.color, x, y, size, size, size*.2)
		c.fill(white, at(.18, .52), at(.28, .42), at(.44, .58), at(.74, .22), at(.85, .32), at(.45, .8))
	case play, forward:
		c.box(s.color, x, y, size, size, size*.2)
		if s.shape == play {
			c.fill(white, at(.3, .2), at(.82, .5), at(.3, .8))
			return
		}
		c.fill(white, at(.15, .22), at(.5, .5), at(.15, .78))
		c.fill(white, at(.5, .22), at(.85, .5), at(.5, .78))
	case bars:
		c.box(s.color, x, y, size, size, size/2)
		c.box(white, x+size*.18, y+size*.4, size*.64, size*.2, 1)
	case bang:
		c.fill(s.color, at(.5, .02), at(1, .95), at(0, .95))
		c.box(white, x+size*.45, y+size*.33, size*.1, size*.32, 1)
		c.box(white, x+size*.45, y+size*.73, size*.1, size*.1, 1)
	case letterI:
		c.box(s.color, x, y, size, size, size*.2)
		c.box(white, x+size*.44, y+size*.18, size*.12, size*.13, 1)
		c.box(white, x+size*.44, y+size*.4, size*.12, size*.42, 1)
	case hand:
		for i, top := range []float32{.2, .05, .02, .1} {
			c.box(s.color, x+size*(.22+float32(i)*.16), y+size*top, size*.14, size*.6, size*.07)
		}
		c.box(s.color, x+size*.22, y+size*.42, size*.62, size*.56, size*.2)
		line(s.color, .08, .52, .3, .78, .08)
	case glass:
		c.fill(s.color, at(.15, .05), at(.85, .05), at(.55, .5), at(.85, .95), at(.15, .95), at(.45, .5))
	case lock:
		c.box(grey, x+size*.24, y, size*.52, size*.7, size*.26)
		c.box(white, x+size*.36, y+size*.12, size*.28, size*.5, size*.14)
		c.box(s.color, x+size*.1, y+size*.42, size*.8, size*.56, size*.08)
	case bell:
		c.box(s.color, x+size*.25, y+size*.05, size*.5, size*.8, size*.25)
		c.box(s.color, x+size*.1, y+size*.65, size*.8, size*.15, size*.05)
		c.box(s.color, x+size*.42, y+size*.8, size*.16, size*.16, size*.08)
		line(red, .05, .05, .95, .95, .05)
	case square:
		c.box(s.color, x, y, size, size, size*.2)
		c.box(white, x+size*.3, y+size*.3, size*.4, size*.4, 1)
	default:
		c.box(s.color, x, y, size, size, size/2)
	}
}
