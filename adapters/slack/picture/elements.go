package picture

const buttonHeight = 30

// actions are buttons and menus, in rows.
func (p pen) actions(all []Element, x, y, width float32) float32 {
	at := x
	for _, e := range all {
		size := p.size(e)
		if at > x && at+size > x+width {
			at, y = x, y+buttonHeight+between
		}
		p.element(e, at, y)
		at += size + between
	}
	return y + buttonHeight
}

// size is how wide an element is.
func (p pen) size(e Element) float32 {
	if e.Type == "static_select" || e.Type == "plain_text_input" {
		return 240
	}
	return measure(p.face(true, false, false, smallSize), label(e)) + 24
}

func label(e Element) string {
	switch e.Type {
	case "button":
		return e.Text.Text
	case "static_select":
		return chosen(e)
	case "plain_text_input":
		return e.InitialValue
	}
	return e.Type
}

// element draws a button or an input.
func (p pen) element(e Element, x, y float32) {
	face, ink, border, inside := p.face(true, false, false, smallSize), black, edge, white
	switch {
	case e.Type != "button":
		face = p.face(false, false, false, smallSize)
	case e.Style == "primary":
		ink, border, inside = white, darkGreen, darkGreen
	case e.Style == "danger":
		ink, border, inside = white, darkRed, darkRed
	}
	width := p.size(e)
	p.canvas.outlined(border, inside, x, y, width, buttonHeight, 4)
	p.canvas.text(face, ink, x+12, y+19.5, cutTo(face, label(e), width-24))
	if e.Type == "static_select" {
		p.canvas.fill(dim, point{x + width - 22, y + 12}, point{x + width - 10, y + 12}, point{x + width - 16, y + 19})
	}
}

// input is a question with its field.
func (p pen) input(b Block, x, y, width float32) float32 {
	spans := []span{{Text: b.Label.Text, Bold: true}}
	if b.Optional {
		spans = append(spans, span{Text: " (optional)"})
	}
	y = p.flow(spans, x, y, width, textSize, black) + 3
	if b.Element != nil {
		e := *b.Element
		if e.Type == "plain_text_input" {
			p.canvas.outlined(edge, white, x, y, width, buttonHeight, 4)
			face := p.face(false, false, false, textSize)
			p.canvas.text(face, black, x+10, y+20, cutTo(face, e.InitialValue, width-20))
		} else {
			p.element(e, x, y)
		}
		y += buttonHeight + 3
	}
	if b.Hint.Text != "" {
		y = p.flow([]span{{Text: b.Hint.Text}}, x, y, width, smallSize, dim)
	}
	return y
}
