package bridge

import (
	"context"
	"time"
)

// A Silence keeps the alerts of a template quiet for a time: what fails meanwhile is counted, and told when it ends unless
// it has been made good.
type Silence struct {
	ID string `json:"id"`
	// Template is namespace/name; empty: all. Destination is one destination, such as slack:#data-alerts; empty: all.
	Template    string    `json:"template,omitempty"`
	Destination string    `json:"destination,omitempty"`
	Until       time.Time `json:"until"`
	By          string    `json:"by,omitempty"` // for people
	Reason      string    `json:"reason,omitempty"`
	Created     time.Time `json:"created"`
}

// Covers says whether the silence is for the template's notifications to the destination.
func (s Silence) Covers(template, destination string) bool {
	return (s.Template == "" || s.Template == template) && (s.Destination == "" || s.Destination == destination)
}

// Silences keeps the silences of all replicas. Safe for concurrent use.
type Silences interface {
	// Add adds a silence, or replaces the one with the same ID.
	Add(ctx context.Context, s Silence) error
	// Remove ends a silence; one that is not there is no error.
	Remove(ctx context.Context, id string) error
	// List returns those that have not ended, the one that ends first at the front.
	List(ctx context.Context) ([]Silence, error)
}

// SilentUntil is until when a template's notifications to a destination are silent; zero when they are not.
func SilentUntil(ctx context.Context, s Silences, template, destination string) (time.Time, error) {
	all, err := s.List(ctx)
	if err != nil {
		return time.Time{}, err
	}
	var until time.Time
	for _, silence := range all {
		if silence.Covers(template, destination) && silence.Until.After(until) {
			until = silence.Until
		}
	}
	return until, nil
}
