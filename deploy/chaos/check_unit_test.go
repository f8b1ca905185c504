package chaos

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheCheckerSeesEachBreach(t *testing.T) {
	t.Parallel()
	made := func(uid, template, rule, phase string) run {
		return run{uid: uid, name: "wf-" + uid, template: template, rule: rule, events: []string{"e"}, phase: phase}
	}
	accepted := func(items string) *event {
		e := pushEvent("e", "main", items)
		e.answer.accepted = true
		return e
	}
	tests := map[string]struct {
		o    observation
		want []kind
	}{
		"nothing": {},
		"one Workflow": {
			o: observation{events: []*event{accepted("[]")}, runs: []run{made("u", "on-push", "default", "Succeeded")}},
		},
		"a failure that is told": {
			o: observation{events: []*event{accepted("bad")}, runs: []run{made("u", "on-push", "default", "Failed")},
				told: 1, messages: map[string]int{"m": 1}},
		},
		"no Workflow": {o: observation{events: []*event{accepted("[]")}}, want: []kind{lost}},
		"no Workflow of a refused event": {
			o: observation{events: []*event{{id: "e", runs: []expectation{{"on-push", "default", false}}, answer: answer{refused: 1}}}},
		},
		"a Workflow of a refused event": {
			o: observation{events: []*event{pushEvent("e", "main", "[]")}, runs: []run{made("u", "on-push", "default", "Succeeded")}},
		},
		"two Workflows, one of them deleted": {
			o: observation{events: []*event{accepted("[]")}, runs: []run{
				made("u", "on-push", "default", "Succeeded"),
				{uid: "v", template: "on-push", rule: "default", events: []string{"e"}, phase: "Succeeded", deleted: true},
			}},
			want: []kind{doubled},
		},
		"two Workflows of a refused event": {
			o: observation{events: []*event{pushEvent("e", "main", "[]")}, runs: []run{
				made("u", "on-push", "default", "Succeeded"), made("v", "on-push", "default", "Succeeded")}},
			want: []kind{doubled},
		},
		"a Workflow of another rule": {
			o: observation{events: []*event{accepted("[]")}, runs: []run{
				made("u", "on-push", "default", "Succeeded"), made("v", "on-release", "default", "Succeeded")}},
			want: []kind{invented},
		},
		"a failure that nobody hears of": {
			o:    observation{events: []*event{accepted("bad")}, runs: []run{made("u", "on-push", "default", "Failed")}},
			want: []kind{untold},
		},
		"a failure that is counted twice": {
			o: observation{events: []*event{accepted("bad")}, runs: []run{made("u", "on-push", "default", "Failed")},
				told: 2, messages: map[string]int{"m": 1}},
			want: []kind{toldTwice},
		},
		"a message that is posted twice": {
			o: observation{events: []*event{accepted("bad")}, runs: []run{made("u", "on-push", "default", "Failed")},
				told: 1, messages: map[string]int{"m": 2}},
			want: []kind{toldTwice},
		},
		"a message that nobody asked for": {
			o: observation{events: []*event{accepted("[]")}, runs: []run{made("u", "on-push", "default", "Succeeded")},
				told: 1, messages: map[string]int{"m": 1}},
			want: []kind{toldTwice},
		},
		"a run that should have failed": {
			o: observation{events: []*event{accepted("bad")}, runs: []run{made("u", "on-push", "default", "Succeeded")},
				told: 1, messages: map[string]int{"m": 1}},
			want: []kind{wrongEnd},
		},
		"a run that goes on": {
			o:    observation{events: []*event{accepted("[]")}, runs: []run{made("u", "on-push", "default", "Running")}},
			want: []kind{notFinished},
		},
		"an object without its run": {
			o:    observation{events: []*event{objectEvent("exports/1-[].json")}},
			want: []kind{lost},
		},
		"a source without an answer": {
			o:    observation{events: []*event{{id: "e", answer: answer{silent: 1}}}},
			want: []kind{silence},
		},
		"a message without acknowledgement": {o: observation{waiting: 2}, want: []kind{unacked}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []kind
			for _, b := range check(test.o) {
				got = append(got, b.kind)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("breaches (-want +got):\n%s", diff)
			}
		})
	}
}
