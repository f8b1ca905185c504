package expression

import "github.com/argo-bridge/argo-bridge/bridge/spelling"

// Nearest is spelling.Nearest.
func Nearest(name string, candidates []string) string { return spelling.Nearest(name, candidates) }
