// Package layout renders the looks of messages that template authors keep in ConfigMaps: an array of Block Kit in which
// {{workflow.name}} and {{=expression}} stand for values of the run, as in the annotation message.
//
// Values cannot change the structure: they are put into the strings of the parsed JSON. In texts with Slack's markup they
// are escaped, so that nothing in them mentions anybody, and what looks like a secret in them is hidden.
package layout

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/mask"
)

// Bounds of one layout.
const (
	maxBytes = 64 << 10
	maxDepth = 50
)

// A Layout is a compiled array of blocks. It is immutable.
type Layout struct{ blocks []any }

// A value of the tree is what json.Unmarshal makes, but for its strings, which are texts.
type text struct {
	compiled *expression.Text
	markup   bool
}

// Compile compiles an array of Block Kit blocks. All faults of its expressions are joined, each with where it stands.
func Compile(source []byte) (*Layout, error) {
	if len(source) > maxBytes {
		return nil, fmt.Errorf("it has %d bytes; at most %d are taken", len(source), maxBytes)
	}
	var blocks []any
	d := json.NewDecoder(bytes.NewReader(source))
	d.UseNumber()
	if err := d.Decode(&blocks); err != nil {
		return nil, fmt.Errorf("it is no JSON array of Block Kit blocks: %w", err)
	}
	if d.More() {
		return nil, errors.New("it is no JSON array of Block Kit blocks: something follows the array")
	}
	c := compiler{}
	for i, block := range blocks {
		blocks[i] = c.value(fmt.Sprintf("[%d]", i), block, false, 0)
	}
	if err := errors.Join(c.errs...); err != nil {
		return nil, err
	}
	return &Layout{blocks}, nil
}

type compiler struct{ errs []error }

// value compiles the strings below a value; markup says that a string here has Slack's markup.
func (c *compiler) value(at string, v any, markup bool, depth int) any {
	if depth > maxDepth {
		c.errs = append(c.errs, fmt.Errorf("%s: it is nested more than %d deep", at, maxDepth))
		return nil
	}
	switch v := v.(type) {
	case string:
		if !strings.Contains(v, "{{") {
			return v
		}
		compiled, err := expression.CompileText(v)
		if err != nil {
			c.errs = append(c.errs, fmt.Errorf("%s: %w", at, err))
			return nil
		}
		return text{compiled, markup}
	case []any:
		for i, e := range v {
			v[i] = c.value(fmt.Sprintf("%s[%d]", at, i), e, markup, depth+1)
		}
	case map[string]any:
		for key, e := range v {
			// Whatever is no plain text has markup, or may have it one day.
			v[key] = c.value(at+"."+key, e, key == "text" && v["type"] != "plain_text", depth+1)
		}
	}
	return v
}

// Render is the array with the values of the variables.
func (l *Layout) Render(variables map[string]any) (string, error) {
	rendered, err := render(any(l.blocks), variables)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(rendered); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func render(v any, variables map[string]any) (any, error) {
	switch v := v.(type) {
	case text:
		return v.compiled.RenderWith(variables, v.quote)
	case []any:
		all := make([]any, len(v))
		for i, e := range v {
			var err error
			if all[i], err = render(e, variables); err != nil {
				return nil, err
			}
		}
		return all, nil
	case map[string]any:
		all := make(map[string]any, len(v))
		for key, e := range v {
			var err error
			if all[key], err = render(e, variables); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
		}
		return all, nil
	}
	return v, nil
}

// escaper makes a value harmless in Slack's markup: https://docs.slack.dev/messaging/formatting-message-text#escaping
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func (t text) quote(value string) string {
	if !t.markup {
		return value
	}
	return escaper.Replace(mask.Secrets(value))
}
