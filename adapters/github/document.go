package github

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"
)

// A document is a JSON object whose members have been found once: a path is looked up in the member
// that it leads into, and not in the whole payload again.
type document map[string]gjson.Result

// open finds the members of a valid JSON object.
func open(b []byte) document {
	d := document{}
	gjson.ParseBytes(b).ForEach(func(name, value gjson.Result) bool {
		d[name.String()] = value
		return true
	})
	return d
}

// Get returns what a path such as repository.full_name leads to.
func (d document) Get(path string) gjson.Result {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return d[name]
	}
	return d[name].Get(rest)
}

// text is the first of the paths that leads to a text or number.
func (d document) text(paths ...string) string {
	for _, path := range paths {
		if v := d.Get(path); (v.Type == gjson.String || v.Type == gjson.Number) && v.String() != "" {
			return v.String()
		}
	}
	return ""
}

// object says whether b is one JSON object. gjson reads only what this has let through: its own
// check recurses without a bound, which a hostile body could make use of.
func object(b []byte) bool { return braced(b) && json.Valid(b) }

// braced says whether valid JSON is an object.
func braced(b []byte) bool {
	trimmed := bytes.TrimLeft(b, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{'
}
