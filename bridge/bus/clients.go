package bus

import (
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"golang.org/x/crypto/bcrypt"
)

// A Client is somebody who may publish CloudEvents on the embedded server, and do nothing else there.
type Client struct {
	User string `yaml:"user"`
	// PasswordFile holds the password; white space around it does not count. Or Nkey is the public part of a
	// user's NKEY (U…), whose seed never leaves the client.
	PasswordFile string `yaml:"passwordFile,omitempty"`
	Nkey         string `yaml:"nkey,omitempty"`
	// Publish are the CloudEvents types that it may publish: a full type, or one that ends in .* for all types
	// below.
	Publish []string `yaml:"publish"`
}

// clientsAccount is where clients live: neither the bridge's streams nor its inboxes are there. What they publish
// comes out as an import of the bridge's own account.
const clientsAccount = "CLIENTS"

var (
	userName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	typePattern = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?$`)
)

// validateClients names every field that cannot hold.
func (c Config) validateClients(bad func(field, format string, args ...any)) {
	if len(c.Clients) > 0 && c.URL != "" {
		bad("clients", "are for the embedded server: an external cluster has its own users")
	} else if len(c.Clients) > 0 && c.Listen == "" {
		bad("clients", "nobody can connect: set bus.listen")
	}
	if c.Listen != "" && len(c.Clients) == 0 && !loopback(c.Listen) {
		bad("listen", "%q lets anybody who reaches it publish, read and delete all events: list who may in bus.clients, or listen on a loopback address such as 127.0.0.1:4222", c.Listen)
	}
	seen := map[string]bool{}
	for i, client := range c.Clients {
		if seen[client.User] {
			bad(fmt.Sprintf("clients[%d].user", i), "%q is given twice", client.User)
		}
		seen[client.User] = true
		client.validate(func(field, format string, args ...any) { bad(fmt.Sprintf("clients[%d].%s", i, field), format, args...) })
	}
}

func (c Client) validate(bad func(field, format string, args ...any)) {
	if !userName.MatchString(c.User) {
		bad("user", "%q is no name: letters, digits, '.', '_' and '-'", c.User)
	}
	if (c.PasswordFile == "") == (c.Nkey == "") {
		bad("passwordFile", "give one of passwordFile and nkey")
	}
	if c.Nkey != "" && !nkeys.IsValidPublicUserKey(c.Nkey) {
		bad("nkey", "%q is not the public key of a user, which begins with U", c.Nkey)
	}
	if len(c.Publish) == 0 {
		bad("publish", "the list is empty: it says which types of events the client may publish")
	}
	for j, pattern := range c.Publish {
		if !typePattern.MatchString(pattern) {
			bad(fmt.Sprintf("publish[%d]", j), "%q is no CloudEvents type, nor one that ends in .*", pattern)
		}
	}
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return true // another error says so
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// restrict lets only the clients in, and the bridge itself by a key that only this process knows. It returns
// the option by which the bridge connects.
func (c Config) restrict(opts *server.Options) (nats.Option, error) {
	if len(c.Clients) == 0 {
		return nil, nil
	}
	account := server.NewAccount(clientsAccount)
	var errs []error
	for i, client := range c.Clients {
		rights := &server.Permissions{
			Publish: &server.SubjectPermission{Allow: subjectsOf(client.Publish), Deny: c.reservedFor(client.Publish)},
			// The answer that an event is stored.
			Subscribe: &server.SubjectPermission{Allow: []string{nats.InboxPrefix + ">"}},
		}
		if client.Nkey != "" {
			opts.Nkeys = append(opts.Nkeys, &server.NkeyUser{Nkey: client.Nkey, Account: account, Permissions: rights})
			continue
		}
		password, err := readPassword(client.PasswordFile)
		if err != nil {
			errs = append(errs, fmt.Errorf("bus.clients[%d].passwordFile: %w", i, err))
		}
		opts.Users = append(opts.Users, &server.User{Username: client.User, Password: password, Account: account, Permissions: rights})
	}
	own, key, err := newIdentity()
	opts.Nkeys = append(opts.Nkeys, own)
	opts.Accounts = append(opts.Accounts, account)
	return key, errors.Join(append(errs, err)...)
}

// newIdentity is the bridge's own, with all rights in the account of the streams.
func newIdentity() (*server.NkeyUser, nats.Option, error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	return &server.NkeyUser{Nkey: public}, nats.Nkey(public, pair.Sign), nil
}

// readPassword returns the hash of a password.
func readPassword(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimSpace(string(data))
	if password == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	// The cost protects hashes that are stolen; this one never leaves the memory that the password was in.
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		return "", fmt.Errorf("%s: the password has %d bytes: %w", file, len(password), err)
	}
	return string(hash), nil
}

// subjectsOf are the subjects of the types that the patterns name.
func subjectsOf(patterns []string) []string {
	subjects := make([]string, len(patterns))
	for i, pattern := range patterns {
		above, all := strings.CutSuffix(pattern, ".*")
		subjects[i] = eventSubject(above)
		if all {
			subjects[i] += ".>"
		}
	}
	return subjects
}

// reservedFor are the subjects of reserved types that no pattern names by their own prefix: com.* alone is no
// right to make GitHub's events.
func (c Config) reservedFor(patterns []string) (deny []string) {
	for _, prefix := range c.Reserved {
		if !slices.ContainsFunc(patterns, func(p string) bool { return strings.HasPrefix(p, prefix) }) {
			deny = append(deny, eventSubject(prefix)+".>")
		}
	}
	return deny
}

// admit connects the account of the clients with the bridge's own: events go in, and the answers that they are
// stored come back.
func (c Config) admit(s *server.Server) error {
	if len(c.Clients) == 0 {
		return nil
	}
	own := s.GlobalAccount()
	// With a second account the server no longer takes it for granted.
	if err := own.EnableJetStream(nil, nil); err != nil {
		return fmt.Errorf("enable JetStream: %w", err)
	}
	account, err := s.LookupAccount(clientsAccount)
	if err != nil {
		return fmt.Errorf("account of the clients: %w", err)
	}
	events := eventSubjects + ">"
	if err := own.AddServiceExport(events, []*server.Account{account}); err != nil {
		return fmt.Errorf("export events: %w", err)
	}
	if err := account.AddServiceImport(own, events, events); err != nil {
		return fmt.Errorf("import events: %w", err)
	}
	return nil
}
