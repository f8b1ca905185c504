package chaos

import "github.com/argo-bridge/argo-bridge/bridge/app"

// A safeguard is a part of the bridge that keeps a promise.
type safeguard struct {
	// off switches it off.
	off func(s *app.Seams)
}

var safeguards = map[string]safeguard{}
