package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"os"
	"strings"
)

// minToken is the least length of a token: 128 random bits in hexadecimal digits are 32 characters,
// in base64 22.
const minToken = 20

// A TokenFile lets in who bears a token of the file at Path. Each line is one token, then, if it is only
// for reading, the word read, then, if the log is to name who bears it, # and a name:
//
//	4f1d0c7e9a7b4c0d8e6f2a1b3c5d7e9f
//	0123456789abcdef0123456789abcdef read # dashboard
//
// Empty lines and lines that begin with # do not count. The file is read for every request, so that a
// token that was taken out is worth nothing at once.
type TokenFile struct{ Path string }

type bearer struct {
	token    [sha256.Size]byte
	user     string
	readOnly bool
}

// Authorize looks for the token in the file as it is now.
func (f *TokenFile) Authorize(_ context.Context, token string, access Access) (string, error) {
	bearers, err := f.read()
	if err != nil {
		return "", &Fault{
			Reason: ReasonUnavailable, Text: "the bridge cannot read its token file", Hint: "the bridge's log says more", Why: err,
		}
	}
	found := find(bearers, token)
	switch {
	case found == nil:
		return "", &Fault{Reason: ReasonUnauthenticated, Text: "the bridge does not know the token", Hint: "it knows those of its admin.tokenFile"}
	case found.readOnly && access != Read:
		return found.user, &Fault{
			Reason: ReasonForbidden, Text: "the token is only for reading", Hint: "take one without `read` in the bridge's admin.tokenFile",
		}
	}
	return found.user, nil
}

// find looks at every bearer, so that the time it takes tells nothing.
func find(bearers []bearer, token string) *bearer {
	sum := sha256.Sum256([]byte(token))
	var found *bearer
	for i := range bearers {
		if subtle.ConstantTimeCompare(sum[:], bearers[i].token[:]) == 1 {
			found = &bearers[i]
		}
	}
	return found
}

func (f *TokenFile) read() ([]bearer, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, fmt.Errorf("tokenFile: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("tokenFile: %w", err)
	}
	bearers, err := parseTokens(string(data))
	if err != nil {
		return nil, fmt.Errorf("tokenFile: %s: %w", f.Path, err)
	}
	return bearers, nil
}

// parseTokens names the line of a fault, never what stands on it.
func parseTokens(text string) ([]bearer, error) {
	var all []bearer
	number := 0
	for line := range strings.Lines(text) {
		number++
		fields, name, named := strings.Cut(line, "#")
		words := strings.Fields(fields)
		if len(words) == 0 {
			continue
		}
		b := bearer{token: sha256.Sum256([]byte(words[0])), user: fmt.Sprintf("token file, line %d", number)}
		if name = strings.TrimSpace(name); named && name != "" {
			b.user = "token file, " + name
		}
		switch {
		case len(words[0]) < minToken:
			return nil, fmt.Errorf("line %d: the token has fewer than %d characters: make one by openssl rand -hex 32", number, minToken)
		case len(words) == 2 && words[1] == "read":
			b.readOnly = true
		case len(words) > 1:
			return nil, fmt.Errorf("line %d: only the word read, or # and a name, may stand behind a token", number)
		}
		all = append(all, b)
	}
	return all, nil
}
