package main

import (
	"testing"
	"time"
)

func TestASceneEndsWhenAllThatIsExpectedHasHappened(t *testing.T) {
	t.Parallel()
	submitted := entry{kind: kindSubmitted, workflow: "argo/w", template: "argo/t"}
	succeeded, failed := entry{kind: kindPhase, phase: "Succeeded"}, entry{kind: kindPhase, phase: "Failed"}
	told := entry{kind: kindNotified, told: "failed slack:#a"}
	for name, c := range map[string]struct {
		scene   scene
		entries []entry
		done    bool
		wrong   bool
	}{
		"nothing has happened":                 {scene: scene{phase: "Succeeded"}},
		"a run that is not told of, later":     {scene: scene{phase: "Succeeded"}, entries: []entry{submitted, succeeded}, done: true},
		"a run whose message is missing":       {scene: scene{phase: "Failed", told: []string{"failed slack:#a"}}, entries: []entry{submitted, failed}},
		"a run and its message":                {scene: scene{phase: "Failed", told: []string{"failed slack:#a"}}, entries: []entry{submitted, failed, told}, done: true},
		"a message that nobody expects":        {scene: scene{phase: "Failed"}, entries: []entry{submitted, failed, told}, wrong: true},
		"a run that ends otherwise":            {scene: scene{phase: "Succeeded"}, entries: []entry{submitted, failed}, wrong: true},
		"a run that should not be":             {scene: scene{filtered: "folders"}, entries: []entry{submitted}, wrong: true},
		"a second run of a repeated event":     {scene: scene{repeated: true}, entries: []entry{submitted}, wrong: true},
		"filtered as expected":                 {scene: scene{filtered: "folders"}, entries: []entry{{kind: kindFiltered, reason: "folders"}}, done: true},
		"filtered for another reason":          {scene: scene{filtered: "folders"}, entries: []entry{{kind: kindFiltered, reason: "objects"}}, wrong: true},
		"filtered where a run is expected":     {scene: scene{phase: "Succeeded"}, entries: []entry{{kind: kindFiltered, reason: "objects"}}, wrong: true},
		"rejected":                             {scene: scene{phase: "Succeeded"}, entries: []entry{{kind: kindRejected}}, wrong: true},
		"an event that is repeated as planned": {scene: scene{repeated: true}, entries: []entry{{kind: kindRepeated}}, done: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProgress(c.scene)
			var err error
			for i, e := range c.entries {
				e.place = i
				if err = p.take(e); err != nil {
					break
				}
			}
			if (err != nil) != c.wrong {
				t.Fatalf("error: %v", err)
			}
			if !c.wrong && p.done(time.Now().Add(2*silence)) != c.done {
				t.Errorf("done: %t, want %t", !c.done, c.done)
			}
		})
	}
}

func TestASilentSceneIsListenedToForAWhile(t *testing.T) {
	t.Parallel()
	p := newProgress(scene{phase: "Succeeded"})
	if err := p.take(entry{kind: kindPhase, phase: "Succeeded"}); err != nil {
		t.Fatal(err)
	}
	if p.done(time.Now()) {
		t.Error("an unwanted message that comes a moment later would not be seen")
	}
}
