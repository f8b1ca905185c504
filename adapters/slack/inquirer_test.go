package slack

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

func TestAUsersGroupsAreAskedFor(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	gone := o.home.AddGroup("gone", o.ann)
	o.slack.Alter(func() { gone.Disabled = true })
	more := o.home.AddGroup("data", o.ann, o.bob)
	for name, tt := range map[string]struct {
		facts bridge.Facts
		want  []string
	}{
		"two groups":         {did(o.home, o.ann, o.home.ID, o.ops), []string{o.oncall.ID, "@oncall", more.ID, "@data"}},
		"one":                {did(o.home, o.bob, o.home.ID, o.ops), []string{more.ID, "@data"}},
		"names do not count": {did(o.other, o.eve, o.other.ID, o.alien), []string{o.far.ID}},
		"a guest":            {did(o.home, o.eve, o.other.ID, o.ops), []string{}},
		"none":               {did(o.home, "U0NOBODY", o.home.ID, o.ops), []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := NewWarden(o.clients, nil, o.clock.Now)
			tt.facts.Asks = map[string]string{"groups": QuestionGroups}
			f, err := w.Supply(t.Context(), bridge.Event{}, tt.facts, []string{QuestionGroups})
			if err != nil || !slices.Equal(f.Values["groups"], tt.want) || len(f.Asks) != 0 {
				t.Errorf("got %q, %v", f.Values["groups"], err)
			}
			if tt.facts.Values["groups"] != nil || len(tt.facts.Asks) != 1 {
				t.Error("the facts that were given have changed")
			}
		})
	}
}

func TestWhatWasAnsweredStays(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	w := NewWarden(o.clients, nil, o.clock.Now)
	f := did(o.home, o.ann, o.home.ID, o.ops)
	first, err := w.Supply(t.Context(), bridge.Event{}, f, []string{QuestionGroups})
	if err != nil {
		t.Fatal(err)
	}
	o.slack.Alter(func() { o.oncall.Users = nil })
	o.clock.Advance(time.Hour)
	f.Pinned = first.Pinned
	again, err := w.Supply(t.Context(), bridge.Event{}, f, []string{QuestionGroups})
	if err != nil || !slices.Equal(again.Values["groups"], first.Values["groups"]) || again.Pinned != first.Pinned {
		t.Errorf("got %q, then %q, %v", first.Values["groups"], again.Values["groups"], err)
	}
}

func TestGroupsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	w := NewWarden(o.clients, nil, o.clock.Now)
	f := did(o.home, o.ann, o.home.ID, o.ops)
	o.slack.Fail("usergroups.list", slacktest.Fault{Status: 502, Body: "x"}, slacktest.Fault{Error: "token_revoked"})
	if _, err := w.Supply(t.Context(), bridge.Event{}, f, []string{QuestionGroups}); err == nil || bridge.IsPermanent(err) {
		t.Errorf("an outage: %v", err)
	}
	if _, err := w.Supply(t.Context(), bridge.Event{}, f, []string{QuestionGroups}); !bridge.IsPermanent(err) {
		t.Errorf("a token that ended: %v", err)
	}
	o.home.Grant("chat:write")
	if _, err := w.Supply(t.Context(), bridge.Event{}, f, []string{QuestionGroups}); !bridge.IsPermanent(err) || !strings.Contains(err.Error(), "usergroups:read") {
		t.Errorf("a scope that is missing: %v", err)
	}
	unknown := did(&slacktest.Team{ID: "T0NOBODY"}, o.ann, "T0NOBODY", o.ops)
	if _, err := w.Supply(t.Context(), bridge.Event{}, unknown, []string{QuestionGroups}); !bridge.IsPermanent(err) {
		t.Errorf("another workspace: %v", err)
	}
	if same, err := w.Supply(t.Context(), bridge.Event{}, unknown, nil); err != nil || same.Values["groups"] != nil {
		t.Errorf("no question: %v", err)
	}
	if ok, _, _ := w.Trusted(t.Context(), bridge.Event{}, f, "ann", nil); ok {
		t.Error("somebody is trusted")
	}
}
