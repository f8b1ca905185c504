package mapping

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Settings are what a rule sets on the Workflow beside its parameters; empty and nil: not set.
type Settings struct {
	Labels         map[string]string
	Entrypoint     string
	ServiceAccount string
	Priority       *int32
}

// Render renders the annotations labels, entrypoint, service-account and priority. A label whose
// value is empty is set to the empty value; another text that is empty sets nothing.
func Render(rule *bridge.Rule, variables map[string]any) (Settings, error) {
	r := renderer{variables: variables}
	settings := Settings{
		Labels:         r.labels(rule.Submit.Labels),
		Entrypoint:     r.text("entrypoint", rule.Submit.Entrypoint),
		ServiceAccount: r.text("service-account", rule.Submit.ServiceAccount),
		Priority:       r.priority(rule.Submit.Priority),
	}
	if len(r.errs) > 0 {
		return Settings{}, bridge.Permanent(errors.Join(r.errs...))
	}
	return settings, nil
}

type renderer struct {
	variables map[string]any
	errs      []error
}

func (r *renderer) fail(key string, err error) {
	r.errs = append(r.errs, fmt.Errorf("%s: %w", key, err))
}

func (r *renderer) text(key string, text bridge.Text) string {
	if text == nil {
		return ""
	}
	value, err := text.Render(r.variables)
	if err != nil {
		r.fail(key, err)
	}
	return strings.TrimSpace(value)
}

func (r *renderer) labels(texts map[string]bridge.Text) map[string]string {
	if len(texts) == 0 {
		return nil
	}
	labels := make(map[string]string, len(texts))
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		key := fmt.Sprintf("label %q", name)
		value := r.text(key, texts[name])
		if !ValidLabel(value) {
			r.fail(key, fmt.Errorf("%q is no label value: at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends", abbreviate(value)))
		}
		labels[name] = value
	}
	return labels
}

func (r *renderer) priority(text bridge.Text) *int32 {
	value := r.text("priority", text)
	if value == "" {
		return nil
	}
	number, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		r.fail("priority", fmt.Errorf("%q is no whole number of 32 bits", abbreviate(value)))
		return nil
	}
	priority := int32(number)
	return &priority
}

// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
var labelValue = regexp.MustCompile(`^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`)

// ValidLabel says whether Kubernetes takes the text as the value of a label.
func ValidLabel(value string) bool { return labelValue.MatchString(value) }
