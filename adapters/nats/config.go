package nats

import (
	"errors"
	"fmt"
	"strings"
)

// Config is the nats section of the bridge's configuration file.
type Config struct {
	// Subjects are what templates may notify, with NATS' wildcards: alerts.data, alerts.>. Empty: nothing.
	Subjects []string `yaml:"subjects,omitempty"`
}

// reserved begin the subjects of the bridge and of NATS itself.
var reserved = []string{"bridge", "$", "_INBOX", "_R_", "_GR_"}

// Validate names every bad subject.
func (c Config) Validate() error {
	var errs []error
	for i, subject := range c.Subjects {
		if err := check(subject, true); err != nil {
			errs = append(errs, fmt.Errorf("subjects[%d]: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

// check says what is wrong with a subject: https://docs.nats.io/nats-concepts/subjects
func check(subject string, wildcards bool) error {
	tokens := strings.Split(subject, ".")
	for i, token := range tokens {
		switch {
		case token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r == 0x7f }):
			return fmt.Errorf("%q is no subject: names with full stops between them", subject)
		case token == ">" && (!wildcards || i < len(tokens)-1), token == "*" && !wildcards, len(token) > 1 && strings.ContainsAny(token, "*>"):
			return fmt.Errorf("%q has a wildcard where none may stand", subject)
		}
	}
	if tokens[0] == "*" || tokens[0] == ">" {
		return fmt.Errorf("%q takes in the bridge's own subjects: begin with a name", subject)
	}
	for _, prefix := range reserved {
		if tokens[0] == prefix || prefix != "bridge" && strings.HasPrefix(tokens[0], prefix) {
			return fmt.Errorf("%q is a subject of the bridge or of NATS itself", subject)
		}
	}
	return nil
}

// allows says whether the config names the subject.
func (c Config) allows(subject string) bool {
	tokens := strings.Split(subject, ".")
	for _, pattern := range c.Subjects {
		if fits(strings.Split(pattern, "."), tokens) {
			return true
		}
	}
	return false
}

func fits(pattern, tokens []string) bool {
	for i, p := range pattern {
		switch {
		case p == ">":
			return len(tokens) > i
		case i >= len(tokens), p != "*" && p != tokens[i]:
			return false
		}
	}
	return len(pattern) == len(tokens)
}
