package bus

import (
	"errors"
	"fmt"
	"time"
)

// Config says which NATS server the bus uses, and how much it may keep.
type Config struct {
	// DataDir is the folder of the embedded server's file store. Used when URL is empty.
	DataDir string `yaml:"dataDir"`
	// Listen is a host:port on which the embedded server also accepts other NATS clients: those of
	// Clients, or, where there are none, anybody on this machine, who then may do all. Empty: none, the
	// bridge talks to it in process.
	Listen string `yaml:"listen"`
	// Clients may publish CloudEvents on Listen.
	Clients []Client `yaml:"clients,omitempty"`
	// Reserved are prefixes of types that a client may publish only when its Publish names the prefix itself:
	// those of the bridge's own sources. It is no setting of the config file.
	Reserved []string `yaml:"-"`
	// Sync is when the embedded server forces stored messages to the disk: "interval" (every 10
	// seconds: survives the death of the process, not the loss of the machine's power) or
	// "always" (before each acknowledgement; slower).
	Sync string `yaml:"sync"`
	// URL is one or more comma-separated nats:// addresses of an external cluster with JetStream.
	URL string `yaml:"url"`
	// CredentialsFile is a NATS .creds file for the external cluster. Optional.
	CredentialsFile string `yaml:"credentialsFile"`
	// Replicas is the number of copies of each stream in the external cluster: 1, 3 or 5.
	Replicas int `yaml:"replicas"`
	// MaxBytes bounds the event stream. When it is nearly full, events that are done with are
	// removed, oldest first; when it is full of events that are not, new ones are refused.
	MaxBytes int64 `yaml:"maxBytes"`
	// MaxAge is how long events and records are kept, for replay and against late redeliveries. An
	// event that waits is kept however long that takes.
	MaxAge time.Duration `yaml:"maxAge"`
	// DuplicateWindow is how long the streams refuse an event that they have seen, before the ledger
	// is asked. It is no setting of the config file.
	DuplicateWindow time.Duration `yaml:"-"`
}

// Defaults returns c with every unset field at its default.
func (c Config) Defaults() Config {
	if c.DataDir == "" {
		c.DataDir = "data"
	}
	if c.Sync == "" {
		c.Sync = "interval"
	}
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 2 << 30
	}
	if c.MaxAge == 0 {
		c.MaxAge = 7 * 24 * time.Hour
	}
	if c.DuplicateWindow == 0 {
		c.DuplicateWindow = 10 * time.Minute
	}
	return c
}

// RecordAge is how long records are kept: longer than any event, so that what comes from the stream again
// finds its record.
func (c Config) RecordAge() time.Duration { return c.MaxAge + 24*time.Hour }

// Validate names every field that cannot hold.
func (c Config) Validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("bus."+field+": "+format, args...))
	}
	if c.Sync != "interval" && c.Sync != "always" {
		bad("sync", "%q is neither interval nor always", c.Sync)
	}
	if c.Replicas != 1 && c.Replicas != 3 && c.Replicas != 5 {
		bad("replicas", "%d: JetStream keeps 1, 3 or 5 copies", c.Replicas)
	}
	if c.URL == "" && c.Replicas > 1 {
		bad("replicas", "%d copies need an external cluster: set bus.url", c.Replicas)
	}
	if c.URL == "" && c.CredentialsFile != "" {
		bad("credentialsFile", "is only for an external cluster: set bus.url")
	}
	c.validateClients(bad)
	if c.MaxBytes < 64<<20 {
		bad("maxBytes", "%d is less than 64 MiB", c.MaxBytes)
	}
	if c.MaxAge < time.Hour {
		bad("maxAge", "%s is less than an hour", c.MaxAge)
	}
	return errors.Join(errs...)
}
