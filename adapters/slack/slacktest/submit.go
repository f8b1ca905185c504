package slacktest

import "encoding/json"

// A Submitted is what became of a modal that a user has submitted.
type Submitted struct {
	Sent
	// Closed says that the modal is gone; otherwise Errors are what it shows by block_id.
	Closed bool
	Errors map[string]string
}

// Submit lets a user submit a modal with what they have filled in, by block_id. What Slack's client does not let through, such
// as a required input that is empty, is not sent.
func (s *Server) Submit(v View, filled map[string]string) Submitted {
	var raw struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	_ = json.Unmarshal(v.Raw, &raw) // CheckView has read it
	parts := partsOf(raw.Blocks, nil)
	state, missing, fault := stateOf(parts, filled)
	if fault != "" || missing != "" {
		return Submitted{Sent: Sent{Reason: fault + missing}}
	}
	s.mu.Lock()
	t := s.teamOfUser(v.User)
	p := parcel{kind: kindInteraction, payload: s.interaction(t, "view_submission", v.User)}
	p.payload["view"], p.payload["response_urls"] = v.wire(state), []object{}
	s.mu.Unlock()
	out := Submitted{Sent: s.send(p)}
	if out.OK() {
		s.settle(&out, v)
	}
	return out
}

// settle does with the modal what the answer says: https://docs.slack.dev/surfaces/modals#response_actions
func (s *Server) settle(out *Submitted, v View) {
	var answer struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
		View   json.RawMessage   `json:"view"`
	}
	if len(out.Body) > 0 && json.Unmarshal(out.Body, &answer) != nil {
		out.Reason, out.Fault = "unknown_error", "the answer is no JSON"
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.change()
	for _, o := range s.views {
		switch {
		case answer.Action == "clear" && o.root == v.root, answer.Action == "" && o.ID == v.ID:
			o.Closed, out.Closed = true, true
		case answer.Action == "update" && o.ID == v.ID:
			if word, detail := CheckView(answer.View); word != "" {
				out.Fault = word + " " + detail
				continue
			}
			o.Raw = answer.View
		case answer.Action == "errors":
			out.Errors = answer.Errors
		}
	}
}
