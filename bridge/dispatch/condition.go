package dispatch

import (
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Condition says for people, without asking anybody, who has to be trusted before a rule that fits starts; empty: nobody.
func Condition(rule *bridge.Rule, f bridge.Facts) string {
	if !outside(rule, f) {
		return ""
	}
	who := slices.Clone(f.Vouch)
	if f.Commander != "" && !slices.Contains(who, f.Commander) {
		who = append(who, f.Commander)
	}
	if len(who) == 0 {
		return ""
	}
	return "if the rule trusts " + strings.Join(who, " and ") + approvalCondition(f)
}

func approvalCondition(f bridge.Facts) string {
	if f.Commander != "" || f.Thread == "" || f.Commit == "" {
		return ""
	}
	return ", or somebody whom it trusts approves " + f.Commit
}
