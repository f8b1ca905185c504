package checks

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Bounds of annotations.
const (
	maxAnnotations    = 200
	maxPerRequest     = 50 // GitHub's own: https://docs.github.com/en/rest/checks/runs#update-a-check-run
	maxAnnotationText = 1000
	maxLine           = 10_000_000
)

// An annotation is a remark on a line of a file.
type annotation struct {
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Column  int    `json:"column,omitempty"`
	Level   string `json:"level"` // notice, warning or failure
	Message string `json:"message"`
}

// annotationsOf finds remarks in the logs of the steps that failed.
func annotationsOf(run bridge.Run) []annotation {
	var all []annotation
	for _, failure := range run.Failures {
		for _, line := range failure.Log {
			a, ok := parseAnnotation(line)
			if !ok || slices.Contains(all, a) {
				continue
			}
			if all = append(all, a); len(all) == maxAnnotations {
				return all
			}
		}
	}
	return all
}

// remark is how compilers and linters write: file:line: message, or file:line:column: message, perhaps after a word
// that says how bad it is.
var remark = regexp.MustCompile(`^\s*(?:(?i:\[?(error|warning|warn|fatal|note|info)\]?):?\s+)?([A-Za-z0-9_.@+/-]+):([0-9]{1,8})(?::([0-9]{1,6}))?:\s*(\S.*)$`)

// parseAnnotation reads a line of a log. It is none when it names no file of the repository, by a relative path.
func parseAnnotation(line string) (annotation, bool) {
	m := remark.FindStringSubmatch(printable(line))
	if m == nil {
		return annotation{}, false
	}
	name, ok := fileName(m[2])
	number, err := strconv.Atoi(m[3])
	if !ok || err != nil || number < 1 || number > maxLine {
		return annotation{}, false
	}
	column, _ := strconv.Atoi(m[4]) // none is 0
	message := strings.TrimSpace(m[5])
	return annotation{name, number, column, level(m[1], message), cut(message, maxAnnotationText)}, true
}

var (
	extension = regexp.MustCompile(`^\.[A-Za-z][A-Za-z0-9]{0,9}$`)
	bareFiles = []string{"Makefile", "Dockerfile", "Jenkinsfile", "Justfile", "Rakefile", "Gemfile", "Vagrantfile", "BUILD", "WORKSPACE"}
	// domains are the ends of names that are rather a host's than a file's.
	domains = []string{".com", ".org", ".net", ".io", ".dev", ".local", ".internal", ".svc", ".cluster"}
)

// fileName is the path of a file in the repository, cleaned.
func fileName(name string) (string, bool) {
	if strings.HasPrefix(name, "/") || strings.Contains(name, "//") || slices.Contains(strings.Split(name, "/"), "..") {
		return "", false
	}
	name = path.Clean(name)
	base, ext := path.Base(name), path.Ext(name)
	switch {
	case slices.Contains(bareFiles, base):
		return name, true
	case !extension.MatchString(ext), strings.HasPrefix(base, "-"):
		return "", false
	case name == base && slices.Contains(domains, ext):
		return "", false
	}
	return name, len(name) <= 255
}

var warningWord, noticeWord = regexp.MustCompile(`(?i)^\W*warn(?:ing)?\b`), regexp.MustCompile(`(?i)^\W*(?:note|info|notice|hint)\b`)

// level is how bad a remark is, by the word before it or its own first word; a step that fails means failure.
func level(word, message string) string {
	switch strings.ToLower(word) {
	case "error", "fatal":
		return "failure"
	case "warning", "warn":
		return "warning"
	case "note", "info":
		return "notice"
	}
	switch {
	case warningWord.MatchString(message):
		return "warning"
	case noticeWord.MatchString(message):
		return "notice"
	}
	return "failure"
}
