package message

import (
	"encoding/json"

	"github.com/slack-go/slack"
)

// silent are the keys of strings that nobody reads; what Slack counts of the others it does not say, so that all count.
var silent = map[string]bool{
	"type": true, "action_id": true, "block_id": true, "value": true, "url": true, "image_url": true, "style": true,
}

// weight is how many characters of text the blocks have.
func weight(blocks []slack.Block) (n int) {
	for _, b := range blocks {
		data, err := json.Marshal(b)
		if err != nil {
			continue
		}
		var v any
		if json.Unmarshal(data, &v) == nil {
			n += weigh("", v)
		}
	}
	return n
}

func weigh(key string, v any) (n int) {
	switch v := v.(type) {
	case string:
		if silent[key] {
			return 0
		}
		for _, r := range v {
			n += width(r)
		}
	case []any:
		for _, e := range v {
			n += weigh(key, e)
		}
	case map[string]any:
		for k, e := range v {
			n += weigh(k, e)
		}
	}
	return n
}
