package desk_test

import (
	"os"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/bridge"
)

func TestThePageHasEveryVerbAndRight(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../docs/slack-commands.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, usage := range slack.Usages() {
		if row := "| `/argo " + strings.ReplaceAll(usage[1], "|", `\|`) + "` |"; !strings.Contains(string(data), row) {
			t.Errorf("docs/slack-commands.md has no row %s", row)
		}
	}
	for _, right := range bridge.Rights {
		if !strings.Contains(string(data), "| `"+string(right)+"` |") {
			t.Errorf("docs/slack-commands.md does not explain the right %s", right)
		}
	}
}
