package chaos

import (
	"net"
	"sync"
	"testing"
)

// A link is a network connection that can break: a TCP proxy in front of one address. Safe for concurrent use.
type link struct {
	name     string
	target   string
	listener net.Listener

	mu     sync.Mutex
	state  linkState
	change *sync.Cond
	open   map[net.Conn]bool
}

type linkState int

const (
	linkUp      linkState = iota
	linkCut               // connections break, new ones are refused
	linkStalled           // connections stand, nothing arrives
)

func newLink(t testing.TB, name, target string) *link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &link{name: name, target: target, listener: l, open: map[net.Conn]bool{}}
	p.change = sync.NewCond(&p.mu)
	var accepting sync.WaitGroup
	accepting.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.set(linkCut)
		accepting.Wait()
	})
	return p
}

// address is what the near end connects to.
func (p *link) address() string { return p.listener.Addr().String() }

// set changes the state; healing a stalled link lets through what has waited.
func (p *link) set(s linkState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = s
	p.change.Broadcast()
	if s == linkCut {
		for c := range p.open {
			_ = c.Close()
		}
	}
}

func (p *link) accept() {
	var connections sync.WaitGroup
	defer connections.Wait()
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		connections.Go(func() { p.carry(near) })
	}
}

// carry passes one connection on until either end closes it.
func (p *link) carry(near net.Conn) {
	defer p.forget(near)
	if !p.keep(near) {
		return
	}
	far, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer p.forget(far)
	if !p.keep(far) {
		return
	}
	var directions sync.WaitGroup
	directions.Go(func() { p.pass(far, near) })
	p.pass(near, far)
	directions.Wait()
}

// keep notes a connection, to be closed by a cut; false while the link is cut.
func (p *link) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[c] = true
	return p.state != linkCut
}

func (p *link) forget(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
	_ = c.Close()
}

// pass copies one direction, and ends both when it ends.
func (p *link) pass(to, from net.Conn) {
	defer func() { _ = to.Close() }()
	defer func() { _ = from.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && p.flowing() {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// flowing waits while the link is stalled; false when it is cut.
func (p *link) flowing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.state == linkStalled {
		p.change.Wait()
	}
	return p.state == linkUp
}
