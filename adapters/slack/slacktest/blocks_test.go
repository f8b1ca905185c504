package slacktest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestBlocksHoldToTheirLimits(t *testing.T) {
	t.Parallel()
	x := func(n int) string { return strings.Repeat("x", n) }
	plain := func(n int) string { return `{"type": "plain_text", "text": "` + x(n) + `"}` }
	mrkdwn := func(n int) string { return `{"type": "mrkdwn", "text": "` + x(n) + `"}` }
	list := func(n int, format string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = strings.ReplaceAll(format, "%i", fmt.Sprint(i))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	button := func(more string) string {
		return `{"type": "actions", "elements": [{"type": "button", "text": ` + plain(1) + more + `}]}`
	}
	menu := func(options int, more string) string {
		return `{"type": "section", "text": ` + mrkdwn(1) + `, "accessory": {"type": "static_select", "options": ` +
			list(options, `{"text": `+plain(1)+`, "value": "%i"}`) + more + `}}`
	}
	input := func(element string) string {
		return `{"type": "input", "label": ` + plain(1) + `, "element": ` + element + `}`
	}
	for name, tt := range map[string]struct{ blocks, want string }{
		"none":                          {``, ""},
		"no JSON":                       {`{`, "invalid_blocks_format"},
		"fifty blocks":                  {list(50, `{"type": "divider"}`), ""},
		"fifty-one blocks":              {list(51, `{"type": "divider"}`), "invalid_blocks"},
		"an unknown type":               {`[{"type": "carousel"}]`, "invalid_blocks"},
		"a header":                      {`[{"type": "header", "text": ` + plain(150) + `}]`, ""},
		"a long header":                 {`[{"type": "header", "text": ` + plain(151) + `}]`, "invalid_blocks"},
		"a header without text":         {`[{"type": "header"}]`, "invalid_blocks"},
		"a header in mrkdwn":            {`[{"type": "header", "text": ` + mrkdwn(1) + `}]`, "invalid_blocks"},
		"a section":                     {`[{"type": "section", "text": ` + mrkdwn(3000) + `}]`, ""},
		"a long section":                {`[{"type": "section", "text": ` + mrkdwn(3001) + `}]`, "invalid_blocks"},
		"an empty section":              {`[{"type": "section"}]`, "invalid_blocks"},
		"ten fields":                    {`[{"type": "section", "fields": ` + list(10, mrkdwn(1)) + `}]`, ""},
		"eleven fields":                 {`[{"type": "section", "fields": ` + list(11, mrkdwn(1)) + `}]`, "invalid_blocks"},
		"a long field":                  {`[{"type": "section", "fields": [` + mrkdwn(2001) + `]}]`, "invalid_blocks"},
		"ten in a context":              {`[{"type": "context", "elements": ` + list(10, mrkdwn(1)) + `}]`, ""},
		"eleven in a context":           {`[{"type": "context", "elements": ` + list(11, mrkdwn(1)) + `}]`, "invalid_blocks"},
		"an image in a context":         {`[{"type": "context", "elements": [{"type": "image", "image_url": "https://x", "alt_text": "x"}]}]`, ""},
		"an image without alt_text":     {`[{"type": "image", "image_url": "https://x"}]`, "invalid_blocks"},
		"the same block_id twice":       {list(2, `{"type": "divider", "block_id": "a"}`), "invalid_blocks"},
		"a long block_id":               {`[{"type": "divider", "block_id": "` + x(256) + `"}]`, "invalid_blocks"},
		"a button":                      {`[` + button(`, "value": "`+x(2000)+`", "action_id": "`+x(255)+`", "url": "`+x(3000)+`", "style": "danger"`) + `]`, ""},
		"a long value":                  {`[` + button(`, "value": "`+x(2001)+`"`) + `]`, "invalid_blocks"},
		"a long action_id":              {`[` + button(`, "action_id": "`+x(256)+`"`) + `]`, "invalid_blocks"},
		"a long url":                    {`[` + button(`, "url": "`+x(3001)+`"`) + `]`, "invalid_blocks"},
		"an unknown style":              {`[` + button(`, "style": "success"`) + `]`, "invalid_blocks"},
		"a long button":                 {`[{"type": "actions", "elements": [{"type": "button", "text": ` + plain(76) + `}]}]`, "invalid_blocks"},
		"twenty-five buttons":           {`[{"type": "actions", "elements": ` + list(25, `{"type": "button", "action_id": "%i", "text": `+plain(1)+`}`) + `}]`, ""},
		"twenty-six buttons":            {`[{"type": "actions", "elements": ` + list(26, `{"type": "button", "action_id": "%i", "text": `+plain(1)+`}`) + `}]`, "invalid_blocks"},
		"the same action_id twice":      {`[{"type": "actions", "elements": ` + list(2, `{"type": "button", "action_id": "a", "text": `+plain(1)+`}`) + `}]`, "invalid_blocks"},
		"a confirm":                     {`[` + button(`, "confirm": {"title": `+plain(100)+`, "text": `+plain(300)+`, "confirm": `+plain(30)+`, "deny": `+plain(30)+`}`) + `]`, ""},
		"a long confirm":                {`[` + button(`, "confirm": {"title": `+plain(101)+`, "text": `+plain(1)+`, "confirm": `+plain(1)+`, "deny": `+plain(1)+`}`) + `]`, "invalid_blocks"},
		"a hundred options":             {`[` + menu(100, "") + `]`, ""},
		"a hundred and one":             {`[` + menu(101, "") + `]`, "invalid_blocks"},
		"no options":                    {`[` + menu(0, "") + `]`, "invalid_blocks"},
		"one that is chosen":            {`[` + menu(2, `, "initial_option": {"text": `+plain(1)+`, "value": "1"}`) + `]`, ""},
		"one that is none of them":      {`[` + menu(2, `, "initial_option": {"text": `+plain(1)+`, "value": "7"}`) + `]`, "invalid_blocks"},
		"a long placeholder":            {`[` + menu(2, `, "placeholder": `+plain(151)) + `]`, "invalid_blocks"},
		"a long option":                 {`[{"type": "section", "text": ` + mrkdwn(1) + `, "accessory": {"type": "static_select", "options": [{"text": ` + plain(76) + `, "value": "a"}]}}]`, "invalid_blocks"},
		"six in an overflow":            {`[{"type": "section", "text": ` + mrkdwn(1) + `, "accessory": {"type": "overflow", "options": ` + list(6, `{"text": `+plain(1)+`, "value": "%i"}`) + `}}]`, "invalid_blocks"},
		"an input":                      {`[` + input(`{"type": "plain_text_input", "max_length": 3000}`) + `]`, ""},
		"a button as an input":          {`[` + input(`{"type": "button", "text": `+plain(1)+`}`) + `]`, "invalid_blocks"},
		"too long an initial_value":     {`[` + input(`{"type": "plain_text_input", "max_length": 3, "initial_value": "xxxx"}`) + `]`, "invalid_blocks"},
		"an input in actions":           {`[{"type": "actions", "elements": [{"type": "plain_text_input"}]}]`, "invalid_blocks"},
		"an input without a label":      {`[{"type": "input", "element": {"type": "plain_text_input"}}]`, "invalid_blocks"},
		"a rich_text":                   {`[{"type": "rich_text", "elements": []}]`, ""},
		"a markdown":                    {`[{"type": "markdown", "text": "**x**"}]`, ""},
		"text that is much in all":      {list(4, `{"type": "section", "text": `+mrkdwn(2399)+`}`), ""},
		"text that is too much in all":  {list(4, `{"type": "section", "text": `+mrkdwn(2400)+`}`), "msg_blocks_too_long"},
		"astral characters count twice": {`[{"type": "header", "text": {"type": "plain_text", "text": "` + strings.Repeat("🚀", 76) + `"}}]`, "invalid_blocks"},
	} {
		if got, detail := CheckBlocks(json.RawMessage(tt.blocks)); got != tt.want {
			t.Errorf("%s: got %q (%s), want %q", name, got, detail, tt.want)
		}
	}
}

func TestAttachmentsCountWithTheBlocks(t *testing.T) {
	t.Parallel()
	section := `[{"type": "section", "text": {"type": "mrkdwn", "text": "` + strings.Repeat("x", 3000) + `"}}]`
	for name, tt := range map[string]struct{ attachments, want string }{
		"a short one":         {`[{"color": "#a30200", "text": "x"}]`, ""},
		"no JSON":             {`{}`, "invalid_attachments"},
		"blocks":              {`[{"blocks": ` + section + `}, {"blocks": ` + section + `}]`, ""},
		"too much in all":     {`[{"blocks": ` + section + `}, {"blocks": ` + section + `}, {"blocks": ` + section + `}]`, "msg_blocks_too_long"},
		"a hundred and one":   {"[" + strings.Repeat(`{},`, 100) + `{}]`, "too_many_attachments"},
		"a bad block in them": {`[{"blocks": [{"type": "x"}]}]`, "invalid_attachments"},
	} {
		if got, detail := CheckMessage(json.RawMessage(section), json.RawMessage(tt.attachments)); got != tt.want {
			t.Errorf("%s: got %q (%s), want %q", name, got, detail, tt.want)
		}
	}
}

func FuzzCheckMessage(f *testing.F) {
	f.Add([]byte(`[{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}]`), []byte(`[{"blocks": []}]`))
	f.Add([]byte(`[{"type": "actions", "elements": [{"type": "button"}]}]`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, blocks, attachments []byte) {
		if word, _ := CheckMessage(blocks, attachments); word == "" {
			_ = partsOf(blocks, attachments)
		}
		_, _ = CheckView(blocks)
	})
}
