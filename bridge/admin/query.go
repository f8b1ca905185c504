package admin

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// parameters are those of the query string, each with how it is read.
var parameters = map[string]func(q *bridge.Query, text string, now time.Time) error{
	"source":   func(q *bridge.Query, text string, _ time.Time) error { q.Source = text; return nil },
	"type":     func(q *bridge.Query, text string, _ time.Time) error { q.Type = text; return nil },
	"template": func(q *bridge.Query, text string, _ time.Time) error { q.Template = text; return nil },
	"rule":     func(q *bridge.Query, text string, _ time.Time) error { q.Rule = text; return nil },
	"outcome": func(q *bridge.Query, text string, _ time.Time) (err error) {
		q.Outcome, err = ParseOutcome(text)
		return err
	},
	"since": func(q *bridge.Query, text string, now time.Time) (err error) {
		q.Since, err = ParseTime(text, now)
		return err
	},
	"until": func(q *bridge.Query, text string, now time.Time) (err error) {
		q.Until, err = ParseTime(text, now)
		return err
	},
	"limit": func(q *bridge.Query, text string, _ time.Time) (err error) {
		q.Limit, err = parseLimit(text)
		return err
	},
}

// ParseQuery reads source, type, template, rule, outcome, since, until and limit from the query of an
// address. It names every parameter that does not exist, stands there twice, or cannot hold.
func ParseQuery(text string, now time.Time) (bridge.Query, error) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return bridge.Query{}, fmt.Errorf("query: %w", err)
	}
	var q bridge.Query
	var errs []error
	for _, name := range sorted(values) {
		read, known := parameters[name]
		switch {
		case !known:
			errs = append(errs, fmt.Errorf("%q is no parameter: there are %s", name, strings.Join(sorted(parameters), ", ")))
		case len(values[name]) > 1:
			errs = append(errs, fmt.Errorf("%s: is given %d times", name, len(values[name])))
		default:
			if err := read(&q, values[name][0], now); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	return q, errors.Join(errs...)
}

// FormatQuery is the query of an address that ParseQuery reads as q.
func FormatQuery(q bridge.Query) string {
	values := url.Values{}
	set := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	set("source", q.Source)
	set("type", q.Type)
	set("template", q.Template)
	set("rule", q.Rule)
	set("outcome", string(q.Outcome))
	set("since", formatTime(q.Since))
	set("until", formatTime(q.Until))
	if q.Limit != 0 {
		values.Set("limit", strconv.Itoa(q.Limit))
	}
	return values.Encode()
}

// ParseOutcome reads a verdict.
func ParseOutcome(text string) (bridge.Verdict, error) {
	if v := bridge.Verdict(text); slices.Contains(bridge.Verdicts, v) {
		return v, nil
	}
	return "", fmt.Errorf("%q is none of %s", text, list(bridge.Verdicts))
}

// ParseTime reads a time: RFC 3339, or how long before now, as 90s, 30m, 2h or 3d.
func ParseTime(text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	ago, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n uint16
		n, err = parseDays(days)
		ago = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || ago < 0 {
		return time.Time{}, fmt.Errorf("%q is neither how long ago (30m, 2h, 3d) nor a time (2026-01-31T12:00:00Z)", text)
	}
	return now.Add(-ago), nil
}

func parseDays(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	return uint16(n), err
}

func parseLimit(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no number from 0 (all) upwards", text)
	}
	return n, nil
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

func list(verdicts []bridge.Verdict) string {
	var words []string
	for _, v := range verdicts {
		words = append(words, string(v))
	}
	return strings.Join(words, ", ")
}

func sorted[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
