package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// sceneBound is how long one event may take to its end.
	sceneBound = time.Minute
	// settle is how far the telling stays behind: log and watch may tell of the same moment in any order.
	settle = 60 * time.Millisecond
	// silence is how long a scene without messages is listened to after its end.
	silence = 700 * time.Millisecond
)

// A row is one line of the summary.
type row struct{ event, template, workflow, phase, told string }

// tell plays all scenes.
func (d *demo) tell(ctx context.Context) ([]row, error) {
	scenes, err := d.scenes()
	if err != nil {
		return nil, err
	}
	var rows []row
	for i, s := range scenes {
		d.screen.scene(i+1, s.title)
		r, err := d.play(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("scene %d (%s): %w; the bridge's log is %s", i+1, s.title, err, short(d.bridge.log.Name()))
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// play sends the event and prints its way as it happens, until what is expected has happened.
func (d *demo) play(ctx context.Context, s scene) (row, error) {
	mark := d.journal.mark()
	sent, err := s.send(ctx)
	if err != nil {
		return row{}, err
	}
	d.screen.sent(sent)
	d.note(sent)
	p := newProgress(s)
	deadline := time.Now().Add(sceneBound)
	for !p.done(time.Now()) {
		switch {
		case ctx.Err() != nil:
			return row{}, ctx.Err()
		case time.Now().After(deadline):
			return row{}, fmt.Errorf("not within %s: %s", sceneBound, p.missing())
		}
		time.Sleep(10 * time.Millisecond)
		for _, e := range d.journal.of(sent.event, mark, time.Now().Add(-settle)) {
			if p.shown[e.place] {
				continue
			}
			d.show(sent, e)
			if err := p.take(e); err != nil {
				return row{}, err
			}
		}
	}
	return p.row(s.title), nil
}

// note puts the answer that the source got into the journal, for its place in the telling.
func (d *demo) note(s sending) {
	if s.answer != "" {
		d.journal.add(entry{at: s.answered, kind: kindAnswered, event: s.event, text: s.answer})
	}
}

// show prints an entry, and with it the message that somebody got.
func (d *demo) show(s sending, e entry) {
	d.screen.entry(s.at, e)
	switch e.kind {
	case kindAnswered:
		if s.private != "" {
			d.screen.message("only visible to @mona", readText(s.private))
		}
	case kindNotified:
		if strings.HasSuffix(e.told, "github:check") {
			if head, lines, ok := d.forge.check(); ok && strings.HasPrefix(e.told, "completed") {
				d.screen.message(head, lines)
			}
			return
		}
		if channel, m, ok := d.slack.next(); ok {
			d.screen.message(channel, readMessage(m))
		}
	}
}

// A progress is how far a scene has come.
type progress struct {
	scene    scene
	shown    map[int]bool // by place in the journal: a late entry may come before those that were shown
	last     time.Time    // when the latest entry came
	end      bool         // the scene's end was seen
	template string
	workflow string
	phase    string
	reason   string
	told     []string
}

func newProgress(s scene) *progress { return &progress{scene: s, shown: map[int]bool{}} }

// take notes an entry. An error means that the story takes another turn than it should.
func (p *progress) take(e entry) error {
	p.shown[e.place] = true
	p.last = time.Now()
	switch e.kind {
	case kindFiltered:
		p.template, p.reason = e.template, e.reason
		if p.scene.filtered != e.reason {
			return fmt.Errorf("filtered by %q, want %s", e.reason, p.wanted())
		}
		p.end = true
	case kindRepeated:
		p.end = p.scene.repeated
	case kindSubmitted:
		p.template, p.workflow = e.template, e.workflow
		if p.scene.phase == "" {
			return fmt.Errorf("%s was started, want %s", e.workflow, p.wanted())
		}
	case kindPhase:
		p.phase = e.phase
		ended := e.phase == "Succeeded" || e.phase == "Failed" || e.phase == "Error"
		if ended && e.phase != p.scene.phase {
			return fmt.Errorf("%s ended as %s (%s), want %s", e.workflow, e.phase, e.text, p.wanted())
		}
		p.end = p.end || ended
	case kindRejected:
		return fmt.Errorf("rejected: %s", e.text)
	case kindNotified:
		if slices.Contains(p.scene.may, e.told) {
			return nil
		}
		p.told = append(p.told, e.told)
		if !slices.Contains(p.scene.told, e.told) {
			return fmt.Errorf("told %s, want %s", e.told, p.wanted())
		}
	}
	return nil
}

// done says whether all that is expected has happened, and nothing follows.
func (p *progress) done(now time.Time) bool {
	if !p.end || len(p.told) < len(p.scene.told) {
		return false
	}
	return len(p.scene.told) > 0 || now.Sub(p.last) > silence
}

func (p *progress) wanted() string {
	switch {
	case p.scene.filtered != "":
		return "nothing started, because of " + p.scene.filtered
	case p.scene.repeated:
		return "nothing started, because the event was there before"
	case len(p.scene.told) == 0:
		return "a Workflow that ends as " + p.scene.phase + ", and silence"
	}
	return "a Workflow that ends as " + p.scene.phase + ", and then: " + strings.Join(p.scene.told, ", ")
}

func (p *progress) missing() string {
	seen := []string{"workflow " + p.workflow, "phase " + p.phase, "told " + strings.Join(p.told, ", ")}
	return p.wanted() + " (so far: " + strings.Join(seen, "; ") + ")"
}

func (p *progress) row(title string) row {
	r := row{event: title, template: p.template, workflow: p.workflow, phase: p.phase, told: strings.Join(p.told, ", ")}
	switch {
	case p.scene.filtered != "":
		r.phase = "not started: " + p.reason
	case p.scene.repeated:
		r.phase = "not started again"
	}
	return r
}
