package chaos

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// An expectation is a run that an event starts.
type expectation struct {
	template, rule string
	fails          bool
}

// An event is one occurrence at a source, and what is to come of it.
type event struct {
	id      string
	request request
	object  string // the name of an object, which comes by Pub/Sub and not by a request
	runs    []expectation

	at     time.Duration   // when it occurs
	again  []time.Duration // how long after it was taken it is sent again
	gentle bool            // whose source gives up after one try
	first  int             // the bridge that gets the first try, modulo their number

	mu     sync.Mutex
	tries  int
	answer answer
}

// An answer is what a source knows of its event.
type answer struct {
	accepted bool // 2xx, or acknowledged
	refused  int  // answers that were not 2xx
	broken   int  // tries whose connection broke before an answer
	silent   int  // tries that nobody has answered within patience
}

func (e *event) heard() answer {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.answer
}

func (e *event) hear(change func(a *answer)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(&e.answer)
}

// next is which bridge gets the next try: one after the other, as a Service would.
func (e *event) next() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tries++
	return e.first + e.tries - 1
}

// Of a hundred events.
const (
	gentlePart = 5
	againPart  = 10
	failPart   = 10
)

// newEvents makes n events within span; the same seed makes the same ones.
func newEvents(seed uint64, n int, span time.Duration, responseURL string) []*event {
	random := rand.New(rand.NewPCG(seed, 1))
	all := make([]*event, n)
	for i := range all {
		e := newEvent(random, i, responseURL)
		e.at = span * time.Duration(i) / time.Duration(n)
		e.first = random.IntN(1 << 10)
		e.gentle = e.object == "" && random.IntN(100) < gentlePart
		if random.IntN(100) < againPart {
			for range 1 + random.IntN(2) {
				e.again = append(e.again, time.Duration(random.Int64N(int64(span/4))))
			}
		}
		all[i] = e
	}
	return all
}

// newEvent makes an event of a random source.
func newEvent(random *rand.Rand, i int, responseURL string) *event {
	items, fails := "[]", random.IntN(100) < failPart
	if fails {
		items = "bad"
	}
	switch kind := random.IntN(20); {
	case kind < 1:
		return queueEvent(fmt.Sprint("queue-", i), fmt.Sprint("branch-", random.IntN(8)))
	case kind < 3:
		return batchEvent(fmt.Sprint("batch-", i))
	case kind < 6:
		return pushEvent(fmt.Sprint("push-", i), "main", items)
	case kind < 8:
		return pushEvent(fmt.Sprint("release-", i), "release/1", items)
	case kind < 11:
		return nobodysEvent(fmt.Sprint("nobody-", i))
	case kind < 15:
		return objectEvent(fmt.Sprintf("exports/%d-%s.json", i, items))
	case kind < 18:
		return commandEvent(fmt.Sprint("command-", i), responseURL, items)
	default:
		return mentionEvent(fmt.Sprint("mention-", i), items, random.IntN(2) == 0)
	}
}

func pushEvent(id, branch, items string) *event {
	e := &event{id: id, request: push(id, "acme/app", branch, items),
		runs: []expectation{{"on-push", "default", items == "bad"}}}
	if branch != "main" {
		e.runs = append(e.runs, expectation{"on-release", "default", false})
	}
	return e
}

// batchEvent starts a run together with others.
func batchEvent(id string) *event {
	return &event{id: id, request: push(id, "acme/batch", "main", "[]"), runs: []expectation{{"in-batch", "default", false}}}
}

// queueEvent starts a run beside few others of its branch.
func queueEvent(id, branch string) *event {
	return &event{id: id, request: push(id, "acme/queue", branch, "[]"), runs: []expectation{{"in-queue", "default", false}}}
}

// nobodysEvent starts nothing.
func nobodysEvent(id string) *event {
	return &event{id: id, request: push(id, "acme/nobody", "main", "[]")}
}

func objectEvent(name string) *event {
	return &event{id: objectEventID(name), object: name,
		runs: []expectation{{"on-object", "default", name[len(name)-8:] == "bad.json"}}}
}

func commandEvent(id, responseURL, items string) *event {
	return &event{id: id, request: command(id, responseURL, items),
		runs: []expectation{{"on-command", "default", items == "bad"}}}
}

func mentionEvent(id, items string, twice bool) *event {
	text := "<@A1> load " + items
	if twice {
		text += " twice"
	}
	e := &event{id: id, request: mention(id, text), runs: []expectation{{"on-mention", "default", items == "bad"}}}
	if twice {
		e.runs = append(e.runs, expectation{"on-mention", "second", false})
	}
	return e
}
