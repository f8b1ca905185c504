package slacktest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A call is one of the Web API, by a workspace's token.
type call struct {
	*Server
	method string
	team   *Team
	form   url.Values
}

type object map[string]any

// call answers https://docs.slack.dev/apis/web-api/#responses
func (s *Server) call(w http.ResponseWriter, r *http.Request) {
	c := &call{Server: s, method: r.PathValue("method"), form: arguments(r)}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.change()
	s.calls[c.method]++
	fault := s.fault(c.method)
	if fault.Lost {
		c.carryOut(r, w.Header())
		panic(http.ErrAbortHandler)
	}
	if fault.Status == http.StatusTooManyRequests && fault.RetryAfter > 0 {
		c.team = s.teamOf(token(r, c.form))
		c.heedAlso(fault.RetryAfter)
	}
	if fault.show(w) {
		return
	}
	answer, wait := object{"ok": false, "error": fault.Error}, 0
	if fault.Error == "" {
		answer, wait = c.carryOut(r, w.Header())
	}
	w.Header().Set("Content-Type", "application/json")
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(wait))
		w.WriteHeader(http.StatusTooManyRequests)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// arguments are those of a form or a JSON body, of the latter whatever is no text as JSON.
func arguments(r *http.Request) url.Values {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		_ = r.ParseForm()
		return r.Form
	}
	form := url.Values{}
	var body map[string]json.RawMessage
	if json.NewDecoder(r.Body).Decode(&body) != nil {
		return form
	}
	for name, raw := range body {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		form.Set(name, text)
	}
	return form
}

func token(r *http.Request, form url.Values) string {
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return t
	}
	return form.Get("token")
}

func (s *Server) teamOf(token string) *Team {
	i := slices.IndexFunc(s.teams, func(t *Team) bool { return token != "" && t.Token == token })
	if i < 0 {
		return nil
	}
	return s.teams[i]
}

// carryOut checks token, scopes and rate, and then does what the method does.
func (c *call) carryOut(r *http.Request, header http.Header) (answer object, wait int) {
	m, ok := methods[c.method]
	if !ok {
		return refused("unknown_method"), 0
	}
	t := token(r, c.form)
	switch c.team = c.teamOf(t); {
	case t == "":
		return refused("not_authed"), 0
	case m.app && t != c.options.AppToken, m.config && t != c.options.ConfigToken:
		return refused(map[bool]string{true: "not_allowed_token_type", false: "invalid_auth"}[c.team != nil]), 0
	case m.app, m.config:
	case c.team == nil:
		return refused("invalid_auth"), 0
	default:
		header.Set("X-OAuth-Scopes", strings.Join(c.team.scopesOf(), ","))
		for _, scope := range m.wants(c) {
			if !c.team.may(scope) {
				return c.missing(scope), 0
			}
		}
	}
	if wait := c.limits.take(c.now(), m.budgets(c)...); wait > 0 {
		return refused("ratelimited"), wait
	}
	return m.do(c), 0
}

// heedAlso makes an answer 429 that a test asked for one that must be heeded.
func (c *call) heedAlso(seconds int) {
	if m, ok := methods[c.method]; ok && c.team != nil && !c.limits.off {
		all := m.budgets(c)
		narrowest := all[len(all)-1]
		c.limits.until[narrowest.key] = c.now().Add(time.Duration(seconds) * time.Second)
	}
}

func refused(word string, details ...string) object {
	answer := object{"ok": false, "error": word}
	if len(details) > 0 {
		answer["response_metadata"] = object{"messages": details}
	}
	return answer
}

func (c *call) missing(scope string) object {
	answer := refused("missing_scope")
	answer["needed"], answer["provided"] = scope, strings.Join(c.team.scopesOf(), ",")
	return answer
}

// page cuts out what a call with limit and cursor gets; a cursor is an offset.
func page[T any](all []T, form url.Values, most int) ([]T, string) {
	limit, _ := strconv.Atoi(form.Get("limit"))
	if limit <= 0 || limit > most {
		limit = most
	}
	from, _ := strconv.Atoi(form.Get("cursor"))
	from = min(max(from, 0), len(all))
	to := min(from+limit, len(all))
	if to == len(all) {
		return all[from:to], ""
	}
	return all[from:to], strconv.Itoa(to)
}

// listed is an answer with a list, as all methods with a cursor give it.
func listed[T any](c *call, name string, all []T) object {
	list, next := page(all, c.form, c.PageSize)
	if list == nil {
		list = []T{}
	}
	return object{"ok": true, name: list, "has_more": next != "", "response_metadata": object{"next_cursor": next}}
}
