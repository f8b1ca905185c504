// Package mask hides what looks like a secret from texts that are shown to people: logs of failed steps, messages and
// parameters of runs. It is pure, and knows secrets by their form and by the names of what holds them; one that looks
// like none, under a name that says nothing, it cannot know.
package mask

import (
	"regexp"
	"strings"
	"unicode"
)

// Hidden stands where a secret was.
const Hidden = "***"

// keys are the ends of names whose values are secrets.
const keys = `(?:password|passwd|passphrase|pwd|secret|token|credentials?|signature|api[_.-]?key|access[_.-]?key|private[_.-]?key|secret[_.-]?key|account[_.-]?key)`

// quoted is a text in quotes, which may stand in quotes itself; what takes the value of a name adds what it takes
// where there are none.
const quoted = `\\"[^"\n]*"?|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`

// rules find secrets by their form, those that take the most of a text first: what is left of a token whose beginning
// another rule has taken would be shown. The first group, where there is one, and the last stay.
var rules = []struct {
	pattern *regexp.Regexp
	with    string
}{
	// Private keys, also such as have begun before the first line or end after the last.
	{regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)`), Hidden},
	{regexp.MustCompile(`(?:[A-Za-z0-9+/=]{16,}\s+)*[A-Za-z0-9+/=]*\s*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----`), Hidden},
	// https://github.blog/engineering/behind-githubs-new-authentication-token-formats/
	{regexp.MustCompile(`(?:gh[a-z]_|github_pat_)[A-Za-z0-9_.-]{16,}`), Hidden},
	{regexp.MustCompile(`(?:xox[a-z]|xapp)[.-][A-Za-z0-9.-]{8,}`), Hidden},
	{regexp.MustCompile(`(hooks\.slack\.com/(?:services|workflows|triggers)/)[A-Za-z0-9/_-]+`), "${1}" + Hidden},
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
	{regexp.MustCompile(`(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16,}`), Hidden},
	{regexp.MustCompile(`AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_.-]{16,}|GOCSPX-[A-Za-z0-9_-]{16,}`), Hidden},
	{regexp.MustCompile(`(?:glpat-|npm_|pypi-|dckr_pat_|hf_|sk_live_|rk_live_|sk-ant-|sk-)[A-Za-z0-9_-]{20,}`), Hidden},
	{regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*`), Hidden}, // a JWT
	{regexp.MustCompile(`(?i)((?:authorization|cookie)\\?["']?[ \t]*[:=][ \t]*)(?:` + quoted + `[^\n]+)`), "${1}" + Hidden},
	{regexp.MustCompile(`(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{16,}`), "${1}" + Hidden},
	{regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@]*:)[^\s/]+(@)`), "${1}" + Hidden + "${2}"},
	{regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/:@]{20,}(@)`), "${1}" + Hidden + "${2}"},
	{regexp.MustCompile(`(?i)(` + keys + `\\?["']?[ \t]*(?:=>|:=|[:=])[ \t]*)(?:` + quoted + `\S+)`), "${1}" + Hidden},
	{regexp.MustCompile(`(?i)(--?[a-z0-9_.-]*` + keys + `[ \t]+)\S+`), "${1}" + Hidden},
}

// names are parts of a parameter's name whose value is a secret.
var names = regexp.MustCompile(`(?i)pass(?:word|wd|phrase)|pwd|secret|token|credential|private|signature|api[_.-]?key|access[_.-]?key|account[_.-]?key|encryption[_.-]?key|(?:^|[_.-])auth(?:[_.-]|$)`)

// Named says whether the value of something with this name, such as a parameter, is to be hidden whatever it looks like.
func Named(name string) bool { return names.MatchString(name) }

// escapes are the sequences by which a program moves and colours a terminal's text:
// https://ecma-international.org/publications-and-standards/standards/ecma-48/
var escapes = regexp.MustCompile(`(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]`)

// Secrets makes a program's output fit to be shown to others: what looks like a secret is [Hidden], and nothing stays that
// moves a terminal. It knows the tokens of GitHub, Slack, AWS, Google and some more by their form, JWTs, private keys,
// headers that authorise, passwords in URLs, and values whose name ends in password, secret, token, or the like. A
// secret that looks like none it cannot know.
func Secrets(text string) string {
	text = plain(text)
	for _, rule := range rules {
		text = rule.pattern.ReplaceAllString(text, rule.with)
	}
	return text
}

// plain is the text as a terminal would show it in the end: escapes are gone, and of a line that was written over
// what was written last is left.
func plain(text string) string {
	text = escapes.ReplaceAllString(strings.ToValidUTF8(text, "\uFFFD"), "")
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		line = line[strings.LastIndexByte(line, '\r')+1:]
		lines[i] = strings.Map(printable, strings.ReplaceAll(line, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

// printable drops controls, and the marks that turn the direction of writing.
func printable(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}
