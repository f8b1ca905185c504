package picture

import (
	_ "embed"
	"html/template"
	"io"
	"regexp"
	"strings"
)

//go:embed message.html
var page string

// WriteHTML writes the message as a page of its own, without scripts and without anything from elsewhere.
func (m Message) WriteHTML(w io.Writer) error {
	t, err := template.New("message").Funcs(template.FuncMap{
		"paragraphs": Text.paragraphs, "element": func(e Element) Text { return Text{Type: e.Type, Text: e.Text.Text} },
		"emoji": func(name string) string { return symbols[name].char }, "plain": unescape, "chosen": chosen, "color": safeColor,
		"web": func(address string) bool {
			return strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
		},
	}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, m)
}

var hexColor = regexp.MustCompile(`^#?[0-9a-fA-F]{6}$`)

// safeColor is the colour of an attachment's bar, for a style.
func safeColor(c string) template.CSS {
	if named, ok := map[string]string{"good": "#2eb67d", "warning": "#ecb22e", "danger": "#e01e5a"}[c]; ok {
		return template.CSS(named)
	}
	if !hexColor.MatchString(c) {
		return "#dddddd"
	}
	return template.CSS("#" + strings.TrimPrefix(c, "#"))
}
