package expression

import (
	"runtime"
	"sync"
	"weak"
)

// Programs compiles expressions and shares the programs: of ten thousand templates most say github.sha. A
// program that nobody holds any more is let go. Safe for concurrent use; a nil *Programs shares nothing.
type Programs struct {
	mu       sync.Mutex
	bySource map[string]weak.Pointer[Program]
}

// NewPrograms returns an empty store of programs.
func NewPrograms() *Programs {
	return &Programs{bySource: map[string]weak.Pointer[Program]{}}
}

// Compile is the function Compile, with the program of an earlier call where one is still in use.
func (p *Programs) Compile(source string) (*Program, error) {
	if p == nil {
		return Compile(source)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.bySource[source].Value(); known != nil {
		return known, nil
	}
	program, err := Compile(source)
	if err != nil {
		return nil, err
	}
	p.bySource[source] = weak.Make(program)
	runtime.AddCleanup(program, p.forget, source)
	return program, nil
}

func (p *Programs) forget(source string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bySource[source].Value() == nil {
		delete(p.bySource, source)
	}
}
