package slack

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// AlertsConfig is what holds for alerts whose template says nothing else.
type AlertsConfig struct {
	// Window is how long failures of one template, or of one cause, join one message. Default: 5m.
	Window time.Duration `yaml:"window,omitempty"`
	// Repeat: while a template keeps failing, its next message comes no earlier than this after the last one. Default: 0s,
	// which leaves it to Window.
	Repeat time.Duration `yaml:"repeat,omitempty"`
	// Quiet are the hours in which no alert is posted: Mon-Fri 22:00-07:00 Europe/Berlin. Default: none.
	Quiet string `yaml:"quiet,omitempty"`
	// Burst is how many new messages about failures one channel gets within Window; further failures are told in one more.
	// Default: 8.
	Burst int `yaml:"burst,omitempty"`
}

// The longest Window and Repeat.
const (
	maxWindow = 24 * time.Hour
	maxRepeat = 7 * 24 * time.Hour
)

func (c AlertsConfig) validate() error {
	var errs []error
	if c.Window < 0 || c.Window > maxWindow {
		errs = append(errs, fmt.Errorf("alerts.window: %s is not between 0s and %s", c.Window, maxWindow))
	}
	if c.Repeat < 0 || c.Repeat > maxRepeat {
		errs = append(errs, fmt.Errorf("alerts.repeat: %s is not between 0s and %s", c.Repeat, maxRepeat))
	}
	if c.Burst < 0 || c.Burst > 1000 {
		errs = append(errs, fmt.Errorf("alerts.burst: %d is not between 1 and 1000", c.Burst))
	}
	if c.Quiet != "" {
		if _, err := bridge.ParseQuiet(c.Quiet); err != nil {
			errs = append(errs, fmt.Errorf("alerts.quiet: %w; %s", err, bridge.UsageQuiet))
		}
	}
	return errors.Join(errs...)
}

var person = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)

// validatePeople checks whom names at other services stand for.
func validatePeople(people map[string]string) error {
	var errs []error
	for name, id := range people {
		if !person.MatchString(id) {
			errs = append(errs, fmt.Errorf("people.%s: %q is no id of a user such as U024BE7LH", name, id))
		}
	}
	return errors.Join(errs...)
}
