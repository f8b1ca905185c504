package waiting

import (
	"container/heap"
	"time"
)

// A schedule is the lanes by when they are due. It is a container/heap.
type schedule []*lane

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].at.Before(s[j].at) }

func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

// Push is heap.Push's.
func (s *schedule) Push(x any) {
	l := x.(*lane)
	l.index = len(*s)
	*s = append(*s, l)
}

// Pop is heap.Pop's.
func (s *schedule) Pop() any {
	old := *s
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*s, l.index = old[:len(old)-1], -1
	return l
}

// set puts a lane where its time is now.
func (s *schedule) set(l *lane, at time.Time) {
	l.at = at
	if l.index < 0 {
		heap.Push(s, l)
	} else {
		heap.Fix(s, l.index)
	}
}

func (s *schedule) remove(l *lane) {
	if l.index >= 0 {
		heap.Remove(s, l.index)
	}
}
