// Package examples holds templates for users to copy. Its test lints every one and dispatches events to
// them; `make demo` runs them.
package examples

import "embed"

// Files are the examples, by file name.
//
//go:embed *.yaml
var Files embed.FS
