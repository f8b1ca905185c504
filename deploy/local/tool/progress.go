package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// progress shows what goes on: on a terminal in one line that changes, and
// otherwise, as in a CI log, in a line now and then.
type progress struct {
	out      *os.File
	terminal bool
	began    time.Time
	finish   chan struct{}
	finished sync.WaitGroup

	mu   sync.Mutex
	text string
}

func newProgress(out *os.File) *progress {
	p := &progress{out: out, began: time.Now(), finish: make(chan struct{})}
	if info, err := out.Stat(); err == nil {
		p.terminal = info.Mode()&os.ModeCharDevice != 0
	}
	p.finished.Add(1)
	go p.run()
	return p
}

func (p *progress) run() {
	defer p.finished.Done()
	interval := 15 * time.Second
	if p.terminal {
		interval = 500 * time.Millisecond
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-p.finish:
			return
		case <-ticker.C:
			p.print()
		}
	}
}

// set replaces the text.
func (p *progress) set(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
}

func (p *progress) print() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.text == "" {
		return
	}
	line := fmt.Sprintf("%s, %s", p.text, time.Since(p.began).Round(time.Second))
	if p.terminal {
		fmt.Fprintf(p.out, "\r\033[K%s", line)
		return
	}
	fmt.Fprintln(p.out, line)
}

// done shows a last text in a line of its own.
func (p *progress) done(text string) {
	p.set(text)
	p.print()
	if p.terminal {
		fmt.Fprintln(p.out)
	}
}

// stop ends the showing.
func (p *progress) stop() {
	close(p.finish)
	p.finished.Wait()
}
