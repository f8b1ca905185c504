package slack

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/spelling"
)

var (
	userID      = regexp.MustCompile(`^[UW][A-Z0-9]{2,}$`)
	groupID     = regexp.MustCompile(`^S[A-Z0-9]{2,}$`)
	groupHandle = regexp.MustCompile(`^@[^\s@<>|&]{1,80}$`)
	channelID   = regexp.MustCompile(`^[CGD][A-Z0-9]{2,}$`)
	channelName = regexp.MustCompile(`^#[^\s#@<>|&A-Z]{1,80}$`)
)

// ValidateAllowances names every bad field of what is allowed, each with the way to it: retry.users[0].
func ValidateAllowances(allow bridge.Allowances) error {
	var errs []error
	for _, right := range slices.Sorted(maps.Keys(allow)) {
		if !slices.Contains(bridge.Rights, right) {
			errs = append(errs, unknownRight(right))
			continue
		}
		a := allow[right]
		for _, list := range []struct {
			name    string
			values  []string
			pattern []*regexp.Regexp
			want    string
		}{
			{"users", a.Users, []*regexp.Regexp{userID}, "a user's id, such as U024BE7LH: names can be changed by who bears them"},
			{"groups", a.Groups, []*regexp.Regexp{groupID, groupHandle}, "a user group, by its id S0614TZR7 or as @handle"},
			{"channels", a.Channels, []*regexp.Regexp{channelID, channelName}, "a channel, by its id C024BE91L or as #name"},
		} {
			for i, v := range list.values {
				if !slices.ContainsFunc(list.pattern, func(p *regexp.Regexp) bool { return p.MatchString(v) }) {
					errs = append(errs, fmt.Errorf("%s.%s[%d]: %q is not %s", right, list.name, i, v, list.want))
				}
			}
		}
	}
	return errors.Join(errs...)
}

func unknownRight(right bridge.Right) error {
	var names []string
	for _, r := range bridge.Rights {
		names = append(names, string(r))
	}
	if near := spelling.Nearest(string(right), names); near != "" {
		return fmt.Errorf("%s: there is no such right; is %s meant?", right, near)
	}
	return fmt.Errorf("%s: there is no such right; the rights are %v", right, names)
}

// within puts the way to a section before each line of an error.
func within(section string, err error) error {
	if err == nil {
		return nil
	}
	var errs []error
	for line := range strings.SplitSeq(err.Error(), "\n") {
		errs = append(errs, errors.New(section+line))
	}
	return errors.Join(errs...)
}

// IsUser says whether a text is a user's id.
func IsUser(id string) bool { return userID.MatchString(id) }
