package admin

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// parameters are those of the query string.
var parameters = []string{"limit", "outcome", "rule", "since", "source", "template", "type", "until"}

// setParameter reads one of the parameters.
func setParameter(q *bridge.Query, name, text string, now time.Time) (err error) {
	switch name {
	case "source":
		q.Source = text
	case "type":
		q.Type = text
	case "template":
		q.Template = text
	case "rule":
		q.Rule = text
	case "outcome":
		q.Outcome, err = ParseOutcome(text)
	case "since":
		q.Since, err = ParseTime(text, now)
	case "until":
		q.Until, err = ParseTime(text, now)
	case "limit":
		q.Limit, err = parseLimit(text)
	}
	return err
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
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch {
		case !slices.Contains(parameters, name):
			errs = append(errs, fmt.Errorf("%q is no parameter: there are %s", name, strings.Join(parameters, ", ")))
		case len(values[name]) > 1:
			errs = append(errs, fmt.Errorf("%s: is given %d times", name, len(values[name])))
		default:
			if err := setParameter(&q, name, values[name][0], now); err != nil {
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
