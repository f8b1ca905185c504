package expression

import (
	"runtime"
	"testing"
	"time"
)

func TestTheSameSourceIsOneProgramForAsLongAsSomebodyHoldsIt(t *testing.T) {
	t.Parallel()
	p := NewPrograms()
	first, err := p.Compile("github.sha")
	if err != nil {
		t.Fatal(err)
	}
	second, err := p.Compile("github.sha")
	if err != nil || first != second {
		t.Errorf("two programs for one source, %v", err)
	}
	if _, err := p.Compile("github."); err == nil {
		t.Error("a syntax error was compiled")
	}
	runtime.KeepAlive(first)
	for end := time.Now().Add(20 * time.Second); ; {
		runtime.GC()
		p.mu.Lock()
		left := len(p.bySource)
		p.mu.Unlock()
		if left == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d programs are kept that nobody holds", left)
		}
	}
}

func TestNilSharesNothing(t *testing.T) {
	t.Parallel()
	var p *Programs
	if e, err := p.Compile("1 + 1"); err != nil || e.String() != "1 + 1" {
		t.Error(e, err)
	}
}
