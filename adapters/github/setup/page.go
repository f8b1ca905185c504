package setup

import (
	"encoding/json"
	"html/template"
	"net/http"
)

// beginData fills the page from which a person goes to GitHub.
type beginData struct {
	Action   string
	Manifest Manifest
}

// JSON is what GitHub wants in the form.
func (d beginData) JSON() (string, error) {
	b, err := json.Marshal(d.Manifest)
	return string(b), err
}

const head = `<!doctype html><meta charset="utf-8"><title>argo-bridge</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:4em auto;padding:0 1em}button{font:inherit;padding:.5em 1em}</style>
`

var (
	beginPage = template.Must(template.New("begin").Parse(head + `<h1>The GitHub App {{.Manifest.Name}}</h1>
<p>GitHub asks for a name and one click. Then it sends you back here, and the App's key to the terminal.</p>
<p>Its events go to {{.Manifest.Hook.URL}}.</p>
<ul>{{range $permission, $level := .Manifest.Permissions}}<li>{{$permission}}: {{$level}}</li>{{end}}</ul>
<form method="post" action="{{.Action}}"><input type="hidden" name="manifest" value="{{.JSON}}"><button autofocus>Go to GitHub</button></form>
`))
	madePage = template.Must(template.New("made").Parse(head + `<h1>{{.Name}} is made</h1>
<p>Go back to the terminal, and <a href="{{.InstallURL}}">install the App</a> on your repositories.</p>
`))
	textPage = template.Must(template.New("text").Parse(head + `<p>{{.}}</p>
`))
)

func writePage(w http.ResponseWriter, status int, t *template.Template, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_ = t.Execute(w, data)
}
