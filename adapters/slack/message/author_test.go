package message_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// authored is a failure whose author has written those blocks.
func authored(t *testing.T, blocks any) message.Rendered {
	t.Helper()
	text, isText := blocks.(string)
	if !isText {
		data, err := json.Marshal(blocks)
		if err != nil {
			t.Fatal(err)
		}
		text = string(data)
	}
	n := sampleFailure()
	n.Options = map[string]string{"blocks": text}
	return message.Message(message.Of(n))
}

func TestAuthorsBlocksAreCutToSlacksLimits(t *testing.T) {
	t.Parallel()
	x := func(n int) string { return strings.Repeat("x", n) }
	plain := func(n int) string { return `{"type":"plain_text","text":"` + x(n) + `"}` }
	mrkdwn := func(n int) string { return `{"type":"mrkdwn","text":"` + x(n) + `"}` }
	list := func(n int, one string) string {
		var all []string
		for i := range n {
			all = append(all, strings.ReplaceAll(one, "%i", fmt.Sprint(i)))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	for name, tt := range map[string]struct {
		blocks string
		kept   int
	}{
		"a long header":                {`[{"type":"header","text":` + plain(500) + `}]`, 1},
		"a header without text":        {`[{"type":"header"},{"type":"divider"}]`, 1},
		"a long section":               {`[{"type":"section","text":` + mrkdwn(5000) + `}]`, 1},
		"an empty section":             {`[{"type":"section","text":` + mrkdwn(0) + `},{"type":"divider"}]`, 1},
		"many fields":                  {`[{"type":"section","fields":` + list(30, mrkdwn(100)) + `}]`, 1},
		"long fields":                  {`[{"type":"section","fields":` + list(2, mrkdwn(3000)) + `}]`, 1},
		"a field without text":         {`[{"type":"section","fields":[` + mrkdwn(0) + `,` + mrkdwn(1) + `]}]`, 1},
		"much in a context":            {`[{"type":"context","elements":` + list(30, mrkdwn(10)) + `}]`, 1},
		"an empty context":             {`[{"type":"context","elements":[]},{"type":"divider"}]`, 1},
		"too many blocks":              {list(100, `{"type":"divider"}`), 46},
		"too much text":                {list(10, `{"type":"section","text":`+mrkdwn(3000)+`}`), 2},
		"the same block_id":            {list(3, `{"type":"divider","block_id":"a"}`), 3},
		"a long block_id":              {`[{"type":"divider","block_id":"` + x(300) + `"}]`, 1},
		"long buttons":                 {`[{"type":"actions","elements":` + list(40, `{"type":"button","action_id":"%i","text":`+plain(90)+`}`) + `}]`, 1},
		"a long url":                   {`[{"type":"actions","elements":[{"type":"button","action_id":"a","url":"https://` + x(4000) + `","text":` + plain(9) + `}]}]`, 1},
		"a button without text":        {`[{"type":"actions","elements":[{"type":"button","action_id":"a","text":` + plain(0) + `},{"type":"button","text":` + plain(1) + `}]}]`, 1},
		"the same action_id":           {`[{"type":"actions","elements":` + list(2, `{"type":"button","action_id":"a","text":`+plain(1)+`}`) + `}]`, 1},
		"a long confirm":               {`[{"type":"actions","elements":[{"type":"button","text":` + plain(9) + `,"confirm":{"title":` + plain(200) + `,"text":` + plain(400) + `,"confirm":` + plain(40) + `,"deny":` + plain(40) + `}}]}]`, 1},
		"many options":                 {`[{"type":"section","text":` + mrkdwn(1) + `,"accessory":{"type":"static_select","placeholder":` + plain(200) + `,"options":` + list(120, `{"text":`+plain(5)+`,"value":"%i"}`) + `}}]`, 1},
		"an image without alt_text":    {`[{"type":"image","image_url":"https://a.example/a.png"}]`, 1},
		"an image without an address":  {`[{"type":"image","alt_text":"a"},{"type":"divider"}]`, 1},
		"an image with a long address": {`[{"type":"image","alt_text":"a","image_url":"https://` + x(3000) + `"},{"type":"divider"}]`, 1},
		"an input":                     {`[{"type":"input","label":` + plain(3000) + `,"hint":` + plain(3000) + `,"element":{"type":"plain_text_input","placeholder":` + plain(200) + `,"initial_value":"` + x(2900) + `"}},{"type":"divider"}]`, 2},
		"things that are no blocks":    {`[1, null, "a", {}, {"type": 3}, [], {"type":"divider"}]`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := authored(t, tt.blocks)
			held(t, r, nil, tt.blocks)
			if kept := len(r.Blocks) - 1; kept != tt.kept {
				t.Errorf("%d of the author's blocks stay, want %d", kept, tt.kept)
			}
		})
	}
}

func TestWhatTheBridgeDoesNotKnowIsKept(t *testing.T) {
	t.Parallel()
	r := authored(t, `[{"type":"carousel","slides":[{"n":12345678901234567890}],"text":"a"}]`)
	data, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(data), `{"slides":[{"n":12345678901234567890}],"text":"a","type":"carousel"}`) {
		t.Errorf("%s, %v", data, err)
	}
}

func TestBrokenBlocksCostTheLookAlone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"{", `{"blocks":[]}`, "true", strings.Repeat("[", 20000)} {
		r := authored(t, text)
		held(t, r, nil, "")
		data, err := json.Marshal(r)
		if err != nil || !strings.Contains(string(data), "no JSON array of Block Kit") || !strings.Contains(string(data), "Failed step") {
			t.Errorf("%.40s: %s, %v", text, data, err)
		}
	}
}

func TestWhatCannotBeShownIsSaid(t *testing.T) {
	t.Parallel()
	n := sampleFailure()
	n.Options = map[string]string{bridge.OptionBlocksFault: "there is no ConfigMap <!here>"}
	r := message.Message(message.Of(n))
	held(t, r, nil, "")
	data, err := json.Marshal(r.Below)
	if err != nil || !strings.Contains(string(data), "cannot be shown: there is no ConfigMap") {
		t.Errorf("%s, %v", data, err)
	}
}

func FuzzAuthorsBlocks(f *testing.F) {
	f.Add(`[{"type":"section","text":{"type":"mrkdwn","text":"a"}},{"type":"context","elements":[{"type":"image"}]}]`)
	f.Add(`[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"a"}}]}]`)
	f.Fuzz(func(t *testing.T, text string) {
		r := authored(t, text)
		if data, err := json.Marshal(r); err != nil || len(r.Blocks) == 0 || len(r.Blocks) > 50 {
			t.Errorf("%s, %v", data, err)
		}
	})
}
