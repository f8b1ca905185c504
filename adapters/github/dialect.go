package github

import (
	"github.com/argo-bridge/argo-bridge/bridge"
)

// Dialect is GitHub's part of the annotation language.
func Dialect() bridge.Dialect {
	return bridge.Dialect{Source: source, Open: true}
}
