package dispatch

import (
	"fmt"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// tooDeep says that so many runs have started one another that the next one is taken for a loop.
func tooDeep(f bridge.Facts, most int) error {
	if f.Depth <= most {
		return nil
	}
	const shown = 10
	way := f.Chain
	if len(way) > shown {
		way = append([]string{"…"}, way[len(way)-shown:]...)
	}
	return fmt.Errorf("%d runs have started one another, at most %d may (limits.chainDepth): %s", f.Depth, most, strings.Join(way, " → "))
}
