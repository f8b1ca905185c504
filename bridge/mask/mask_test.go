package mask

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Secrets are put together here, so that no scanner of repositories takes them for real ones.
var (
	digits      = strings.Repeat("0123456789", 5)
	githubToken = "ghp_" + digits[:36]
	jwt         = "eyJ" + "hbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + "c2lnbmF0dXJlLW9mLWl0"
	pem         = "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEowIBAAKCAQEA" + digits + "\nabcdefghijklmnopqrstuvwxyz0123456789==\n-----END RSA PRIVATE " + "KEY-----"
)

func TestSecretsHidesWhatLooksLikeASecret(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ text, want string }{
		"a personal token":              {"push with " + githubToken + " now", "push with *** now"},
		"an installation's token":       {"ghs_" + digits[:36], "***"},
		"a fine-grained token":          {"github_" + "pat_" + digits, "***"},
		"a Slack token":                 {"xoxb-" + digits[:12] + "-abc", "***"},
		"a Slack webhook":               {"https://hooks.slack.com/services/T0/B0/" + digits[:20], "https://hooks.slack.com/services/***"},
		"an AWS key id":                 {"id AKIA" + "IOSFODNN7EXAMPLE.", "id ***."},
		"an AWS secret key":             {"aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = ***"},
		"a Google API key":              {"key=AIza" + digits[:35], "key=***"},
		"a Google access token":         {"ya29." + digits, "***"},
		"a JWT":                         {"jwt " + jwt + ", ok", "jwt ***, ok"},
		"a private key":                 {"before\n" + pem + "\nafter", "before\n***\nafter"},
		"the end of a private key":      {pem[strings.IndexByte(pem, '\n')+1:] + "\nafter", "***\nafter"},
		"the beginning of a key":        {"a\n" + pem[:70], "a\n***"},
		"an authorization header":       {"> Authorization: Digest username=\"x\", nonce=\"y\"\n> Accept: */*", "> Authorization: ***\n> Accept: */*"},
		"a header in JSON":              {`{"Authorization":"Bearer abc","n":1}`, `{"Authorization":***,"n":1}`},
		"a prompt":                      {"Password:\nLogin failed", "Password:\nLogin failed"},
		"a bearer token in a sentence":  {"sent bearer " + digits[:20], "sent bearer ***"},
		"curl's header":                 {`curl -H "Authorization: Bearer abc" https://x`, `curl -H "Authorization: ***`},
		"a password in a URL":           {"postgres://app:p@ss:w0rd@db:5432/x", "postgres://app:***@db:5432/x"},
		"a token as a URL's user":       {"https://" + digits[:30] + "@example.com/x.git", "https://***@example.com/x.git"},
		"key and value":                 {"DB_PASSWORD=hunter2 user=x", "DB_PASSWORD=*** user=x"},
		"key and quoted value":          {`api-key: "two words" rest`, `api-key: *** rest`},
		"YAML":                          {"  clientSecret: abc", "  clientSecret: ***"},
		"JSON":                          {`{"user":"x","access_token":"a\"b","n":1}`, `{"user":"x","access_token":***,"n":1}`},
		"JSON in a string":              {`{\"password\":\"abc\",\"n\":1}`, `{\"password\":***,\"n\":1}`},
		"a query":                       {"GET /x?a=1&X-Amz-Signature=abc", "GET /x?a=1&X-Amz-Signature=***"},
		"a flag":                        {"login --password hunter2 --user x", "login --password *** --user x"},
		"a secret below colours":        {"\x1b[31mtoken=\x1b[1mabc\x1b[0m", "token=***"},
		"a secret with a null in it":    {"ghp_" + digits[:10] + "\x00" + digits[:20], "***"},
		"what a line is written over":   {"10%\r50%\r100%\r\nnext", "100%\nnext"},
		"what names a terminal's title": {"\x1b]0;title\x07text", "text"},
		"tabs and marks of direction":   {"a\tb\u202ec", "a    bc"},
		"no UTF-8":                      {"a\xffb", "a\uFFFDb"},
		"an ordinary line":              {"main.go:12:3: undefined: tokens (https://example.com:443/a/@b)", "main.go:12:3: undefined: tokens (https://example.com:443/a/@b)"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Secrets(c.text); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func FuzzSecrets(f *testing.F) {
	for _, seed := range []string{"", "token=", "\x1b[", "https://a:", "xoxb-12345678", pem, jwt, `{"password":"`, "Authorization: ", "a\rb"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		got := Secrets(before + githubToken + after)
		if strings.Contains(got, githubToken) {
			t.Errorf("the token is in %q", got)
		}
		if !utf8.ValidString(got) {
			t.Errorf("no UTF-8: %q", got)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
			t.Errorf("a control character in %q", got)
		}
		if lines := strings.Count(got, "\n"); lines > strings.Count(before+after, "\n") {
			t.Errorf("%d line ends, there were %d", lines, strings.Count(before+after, "\n"))
		}
	})
}

func TestNamesOfSecretsAreKnown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"password", "DB_PASSWD", "clientSecret", "github-token", "credentials", "api-key", "APIKEY", "api_key", "private", "private-key", "auth", "x-auth-header"} {
		if !Named(name) {
			t.Errorf("%s is shown", name)
		}
	}
	for _, name := range []string{"path", "bucket", "author", "key", "compass", "sha", "environment"} {
		if Named(name) {
			t.Errorf("%s is hidden", name)
		}
	}
}
