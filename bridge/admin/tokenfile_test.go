package admin_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge/admin"
)

const (
	full    = "0123456789abcdef0123456789abcdef"
	reading = "fedcba9876543210fedcba9876543210"
)

func tokens(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestATokenFileLetsInItsBearers(t *testing.T) {
	t.Parallel()
	file := &admin.TokenFile{Path: tokens(t, "# tokens\n\n"+full+"  # deploy job\n "+reading+" read\n")}
	for name, c := range map[string]struct {
		token  string
		access admin.Access
		user   string
		reason string
	}{
		"reads":                      {full, admin.Read, "token file, deploy job", ""},
		"replays":                    {full, admin.Replay, "token file, deploy job", ""},
		"a reader reads":             {reading, admin.Read, "token file, line 4", ""},
		"a reader replays nothing":   {reading, admin.Replay, "token file, line 4", admin.ReasonForbidden},
		"a stranger":                 {"x" + full, admin.Read, "", admin.ReasonUnauthenticated},
		"the beginning of a token":   {full[:31], admin.Read, "", admin.ReasonUnauthenticated},
		"nothing":                    {"", admin.Read, "", admin.ReasonUnauthenticated},
		"a whole line is no token":   {reading + " read", admin.Read, "", admin.ReasonUnauthenticated},
		"the comment is no token":    {"tokens", admin.Read, "", admin.ReasonUnauthenticated},
		"a token's case does matter": {strings.ToUpper(full), admin.Read, "", admin.ReasonUnauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if user, err := file.Authorize(t.Context(), c.token, c.access); user != c.user || reasonOf(err) != c.reason {
				t.Errorf("user %q, %v", user, err)
			}
		})
	}
}

func TestATokenThatIsTakenOutIsWorthNothingAtOnce(t *testing.T) {
	t.Parallel()
	path := tokens(t, full)
	file := &admin.TokenFile{Path: path}
	steps := []struct {
		write         func() error
		full, reading string
	}{
		{func() error { return nil }, "", admin.ReasonUnauthenticated},
		{func() error { return os.WriteFile(path, []byte(full+"\n"+reading+" read"), 0o600) }, "", ""},
		{func() error { return os.WriteFile(path, []byte(reading), 0o600) }, admin.ReasonUnauthenticated, ""},
		{func() error { return os.WriteFile(path, []byte(full), 0o600) }, "", admin.ReasonUnauthenticated}, // of the same size
		{func() error { return os.Remove(path) }, admin.ReasonUnavailable, admin.ReasonUnavailable},
		{func() error { return os.WriteFile(path, nil, 0o600) }, admin.ReasonUnauthenticated, admin.ReasonUnauthenticated},
	}
	for i, s := range steps {
		if err := s.write(); err != nil {
			t.Fatal(err)
		}
		for token, reason := range map[string]string{full: s.full, reading: s.reading} {
			if _, err := file.Authorize(t.Context(), token, admin.Read); reasonOf(err) != reason {
				t.Errorf("step %d, %s: %v, want %q", i, token, err, reason)
			}
		}
	}
}

func TestAFaultyTokenFileNamesTheLineAndNoToken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"a short token":      {"\nhunter2\n", "line 2: the token has fewer than 20 characters"},
		"a word too much":    {full + " write", "line 1: only the word read"},
		"two words too much": {full + " read read", "line 1: only the word read"},
	} {
		file := &admin.TokenFile{Path: tokens(t, c.text)}
		_, err := file.Authorize(t.Context(), full, admin.Read)
		var f *admin.Fault
		if !errors.As(err, &f) || f.Reason != admin.ReasonUnavailable || !strings.Contains(f.Why.Error(), c.want) ||
			strings.Contains(f.Why.Error(), "hunter2") || strings.Contains(f.Why.Error(), full) {
			t.Errorf("%s: %v, %v", name, f, f.Why)
		}
	}
}

func FuzzTokenFile(f *testing.F) {
	f.Add(full+" read # x\n", full)
	f.Add("#\n \x00", "")
	f.Fuzz(func(t *testing.T, text, token string) {
		user, err := admin.Bearer(text, token)
		if err == nil && user != "" && !strings.Contains(text, token) {
			t.Errorf("%q lets in %q", text, token)
		}
		if err == nil && user != "" && len(token) < 20 {
			t.Errorf("the short token %q is let in", token)
		}
	})
}
