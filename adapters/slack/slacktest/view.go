package slacktest

import (
	"encoding/json"
	"fmt"
	"slices"
)

// read checks a view and gives it an id.
func (c *call) read(raw json.RawMessage) (*View, object) {
	if len(raw) > maxViewBytes {
		return nil, refused("view_too_large")
	}
	var v struct {
		CallbackID string `json:"callback_id"`
		Private    string `json:"private_metadata"`
		External   string `json:"external_id"`
	}
	word, detail := CheckView(raw)
	if word != "" {
		return nil, refused(word, detail)
	}
	_ = json.Unmarshal(raw, &v) // CheckView has read it
	if v.External != "" && slices.ContainsFunc(c.views, func(o *View) bool { return o.external == v.External && !o.Closed }) {
		return nil, refused("duplicate_external_id")
	}
	id := c.next("V")
	return &View{ID: id, CallbackID: v.CallbackID, Private: v.Private, Raw: raw, external: v.External, hash: c.stamp()}, nil
}

// CheckView says with Slack's word, and where, what is wrong with a modal: "" if nothing.
func CheckView(raw json.RawMessage) (word, detail string) {
	var v struct {
		Type       string          `json:"type"`
		Title      *text           `json:"title"`
		Submit     *text           `json:"submit"`
		Close      *text           `json:"close"`
		CallbackID string          `json:"callback_id"`
		Private    string          `json:"private_metadata"`
		External   string          `json:"external_id"`
		Blocks     json.RawMessage `json:"blocks"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return "invalid_arguments", err.Error()
	}
	total := 0
	bad := func(what string, arguments ...any) (string, string) {
		return "invalid_arguments", fmt.Sprintf(what, arguments...) + " [json-pointer:/view]"
	}
	switch {
	case v.Type != "modal":
		return bad("unsupported type: %q", v.Type)
	case v.Title.plain(maxTitle, &total) != nil:
		return bad("title is a plain_text of 1 to %d characters", maxTitle)
	case v.Submit != nil && v.Submit.plain(maxTitle, &total) != nil, v.Close != nil && v.Close.plain(maxTitle, &total) != nil:
		return bad("submit and close are plain_texts of 1 to %d characters", maxTitle)
	case length(v.CallbackID) > maxID, length(v.External) > maxID:
		return bad("callback_id and external_id have at most %d characters", maxID)
	case length(v.Private) > maxPrivate:
		return bad("private_metadata has at most %d characters", maxPrivate)
	case len(v.Blocks) == 0:
		return bad("missing required field: blocks")
	}
	if word, detail := checkList(v.Blocks, maxViewBlocks, "/view/blocks", &total); word != "" {
		return "invalid_arguments", detail
	}
	var blocks []block
	_ = json.Unmarshal(v.Blocks, &blocks) // checkList has read them
	if v.Submit == nil && slices.ContainsFunc(blocks, func(b block) bool { return b.Type == "input" }) {
		return bad("submit is required where there is an input")
	}
	return "", ""
}

// wire is a view as the API shows it, with the state of its inputs.
func (v *View) wire(state object) object {
	o := object{}
	_ = json.Unmarshal(v.Raw, &o) // CheckView has read it
	if state == nil {
		state = object{"values": object{}}
	}
	o["id"], o["team_id"], o["hash"], o["root_view_id"], o["app_id"], o["state"] = v.ID, v.Team, v.hash, v.root, AppID, state
	return o
}
