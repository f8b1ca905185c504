package bridge_test

import (
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func TestAFailureSaysHowOftenItsStepWasTried(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]bridge.Failure{
		"boom":                     {Message: "boom", Attempts: 1},
		"boom (attempt 3 of 3)":    {Message: "boom", Attempts: 3},
		"(attempt 2 of 2)":         {Attempts: 2},
		"without retries of a run": {Message: "without retries of a run"},
	} {
		if got := f.Text(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestARunRemembersTheLastOrdersThatWereCarriedOutOnIt(t *testing.T) {
	t.Parallel()
	annotations := map[string]string{}
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
		if bridge.Carried(annotations, id) {
			t.Errorf("%s was not carried out yet", id)
		}
		annotations[bridge.AnnotationOrders] = bridge.WithCarried(annotations, id)
	}
	if bridge.Carried(annotations, "a") || !bridge.Carried(annotations, "b") || !bridge.Carried(annotations, "i") || bridge.Carried(annotations, "") {
		t.Errorf("it remembers %q", annotations[bridge.AnnotationOrders])
	}
}
