package slacktest

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// How often, and how long, a response_url can be used:
// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
const (
	responseUses = 5
	responseLife = 30 * time.Minute
)

// A responseURL is an address at which a user is answered.
type responseURL struct {
	at      time.Time
	uses    int
	user    string
	channel string
	message string // the timestamp of the message whose button was pressed
}

// A Response is what was posted to a response_url.
type Response struct {
	Path        string          // of the address
	Type        string          `json:"response_type"`
	Text        string          `json:"text"`
	Blocks      json.RawMessage `json:"blocks"`
	Attachments json.RawMessage `json:"attachments"`
	Replace     bool            `json:"replace_original"`
	Delete      bool            `json:"delete_original"`
	ThreadTS    string          `json:"thread_ts"`
	Channel     string          `json:"-"` // where the user is
	User        string          `json:"-"` // who is answered
}

// ResponseURL is an address that takes a command's answers.
func (s *Server) ResponseURL(path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.responseAt(path, responseURL{})
}

// responseAt makes an address, unless there is one; the lock is held.
func (s *Server) responseAt(path string, u responseURL) string {
	if s.urls[path] == nil {
		u.at = s.now()
		s.urls[path] = &u
	}
	return s.http.URL + "/response/" + path
}

// Responses returns what was posted to response_urls and taken.
func (s *Server) Responses() []Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.responses)
}

// respond takes an answer. An ephemeral one is the default; one that replaces or deletes the original changes the message
// whose button was pressed.
func (s *Server) respond(w http.ResponseWriter, r *http.Request) {
	resp := Response{Path: r.PathValue("rest")}
	err := json.NewDecoder(r.Body).Decode(&resp)
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.change()
	s.calls["response_url"]++
	if s.fault("response_url").show(w) {
		return
	}
	u := s.urls[resp.Path]
	word, status := "", http.StatusOK
	switch {
	case u == nil:
		word, status = "no_service", http.StatusNotFound
	case !s.limits.off && s.now().Sub(u.at) > responseLife:
		word, status = "expired_url", http.StatusNotFound
	case !s.limits.off && u.uses >= responseUses:
		word, status = "used_url", http.StatusNotFound
	case err != nil:
		word, status = "invalid_payload", http.StatusBadRequest
	default:
		word = s.answered(u, resp)
		if word != "" {
			status = http.StatusBadRequest
		}
	}
	if word == "" {
		_, _ = w.Write([]byte("ok"))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(object{"ok": false, "error": word})
}

func (s *Server) answered(u *responseURL, r Response) (word string) {
	r.User, r.Channel = u.user, u.channel
	if !r.Delete {
		if word, _ := CheckMessage(r.Blocks, r.Attachments); word != "" {
			return word
		}
		if empty(r.Text, r.Blocks, r.Attachments) {
			return "no_text"
		}
	}
	u.uses++
	s.responses = append(s.responses, r)
	m := s.message(u.channel, u.message)
	switch {
	case m == nil:
	case r.Delete:
		m.Deleted = true
	case r.Replace:
		m.Edits = append(m.Edits, Edit{m.Text, m.Blocks, m.Attachments, m.Metadata})
		m.Text, m.Blocks, m.Attachments = r.Text, r.Blocks, r.Attachments
	}
	return ""
}
