package alerts

import (
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Settings hold for all alerts whose template says nothing else.
type Settings struct {
	// Window is how long failures of one template, or of one cause, join one message. Default: 5 min; negative: never.
	Window time.Duration
	// Repeat: while a template keeps failing, its next message comes no earlier than this after the last one, and what
	// fails in between joins that. Default: 0, which is not at all.
	Repeat time.Duration
	// Quiet are the hours in which nothing is posted. Default: none.
	Quiet string
	// Burst is how many new messages about failures one channel gets within a Window; what is more is told in one.
	// Default: 8.
	Burst int
}

// Defaults of Settings.
const (
	DefaultWindow = 5 * time.Minute
	DefaultBurst  = 8
)

func (s Settings) withDefaults() Settings {
	if s.Window == 0 {
		s.Window = DefaultWindow
	}
	if s.Burst == 0 {
		s.Burst = DefaultBurst
	}
	return s
}

// settings are those that an alert has.
type settings struct {
	Window time.Duration `json:"window,omitempty"`
	Repeat time.Duration `json:"repeat,omitempty"`
	Quiet  string        `json:"quiet,omitempty"`
}

// of reads the settings of a notification. Lint has checked them; what cannot be read all the same is passed over.
func (s Settings) of(n bridge.Notification) settings {
	set := settings{Window: max(0, s.Window), Repeat: s.Repeat, Quiet: s.Quiet}
	if d, err := time.ParseDuration(n.Options[bridge.OptionWindow]); err == nil && d >= 0 {
		set.Window = d
	}
	if d, err := time.ParseDuration(n.Options[bridge.OptionRepeat]); err == nil && d >= 0 {
		set.Repeat = d
	}
	if q := n.Options[bridge.OptionQuiet]; q != "" {
		set.Quiet = q
	}
	return set
}

// quietUntil is when the quiet hours of a time end; zero when there are none.
func (s settings) quietUntil(now time.Time) time.Time {
	q, err := bridge.ParseQuiet(s.Quiet)
	if err != nil {
		return time.Time{}
	}
	return q.Until(now)
}
