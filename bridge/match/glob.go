package match

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/nektos/act/pkg/workflowpattern"
)

// globs is a list of patterns of GitHub Actions.
type globs struct {
	source   []string
	patterns []pattern
	fold     bool // case does not matter
}

// A pattern is one glob; one without special characters is compared, not matched.
type pattern struct {
	literal  string
	negative bool
	compiled *workflowpattern.WorkflowPattern // nil for a literal
}

func compileGlobs(source []string, fold bool) (globs, error) {
	g := globs{source: source, fold: fold}
	if len(source) == 0 {
		return g, errors.New("the list is empty")
	}
	var errs []error
	positive := false
	for _, s := range source {
		p, err := compileGlob(s, fold)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		positive = positive || !p.negative
		g.patterns = append(g.patterns, p)
	}
	if len(errs) == 0 && !positive {
		errs = append(errs, errors.New("a list of excluding patterns alone matches nothing; put a pattern such as \"**\" before them"))
	}
	return g, errors.Join(errs...)
}

func compileGlob(source string, fold bool) (pattern, error) {
	if source == "" || source == "!" {
		return pattern{}, errors.New("a pattern is empty")
	}
	if fold {
		source = strings.ToLower(source)
	}
	compiled, err := workflowpattern.CompilePattern(source)
	if err != nil {
		return pattern{}, fmt.Errorf("bad pattern %q: %w", source, err)
	}
	p := pattern{literal: strings.TrimPrefix(source, "!"), negative: compiled.Negative, compiled: compiled}
	if literalPrefix(p.literal) == p.literal {
		p.compiled = nil
	}
	return p, nil
}

func (p pattern) match(value string) bool {
	if p.compiled == nil {
		return p.literal == value
	}
	return p.compiled.Regex.MatchString(value)
}

// match says whether the last pattern that matches the value includes it.
func (g globs) match(value string) bool {
	value = g.normal(value)
	for i := len(g.patterns) - 1; i >= 0; i-- {
		if g.patterns[i].match(value) {
			return !g.patterns[i].negative
		}
	}
	return false
}

func (g globs) any(values []string) bool {
	for _, v := range values {
		if g.match(v) {
			return true
		}
	}
	return false
}

func (g globs) normal(value string) string {
	if g.fold {
		return strings.ToLower(value)
	}
	return value
}

// literalPrefix is what every text that the pattern matches begins with. ? and + repeat the
// character before them, which is therefore not certain.
func literalPrefix(p string) string {
	i := strings.IndexAny(p, `*?+[\`)
	if i < 0 {
		return p
	}
	if i > 0 && (p[i] == '?' || p[i] == '+') {
		_, size := utf8.DecodeLastRuneInString(p[:i])
		i -= size
	}
	return p[:i]
}
