package github

import (
	"bytes"
	"encoding/json"
	"strings"
	"unsafe"

	"github.com/tidwall/gjson"
)

// A document is a JSON object whose members have been found once: a path is looked up in the member
// that it leads into, and not in the whole payload again. What its methods return as text is a copy,
// and does not keep the payload in memory; the Results of Get do.
type document map[string]gjson.Result

// open finds the members of a valid JSON object. The document reads b itself, which nobody may change:
// a copy of a payload of 25 MB would be one too many.
func open(b []byte) document {
	d := document{}
	gjson.Parse(unsafe.String(unsafe.SliceData(b), len(b))).ForEach(func(name, value gjson.Result) bool {
		d[strings.Clone(name.String())] = value
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
			return strings.Clone(v.String())
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
