package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// replayID is what becomes a part of a Workflow's name.
var replayID = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// CheckReplay names all that is wrong with a request for a replay.
func CheckReplay(r bridge.Replay) error {
	var errs []error
	query := r.Query != bridge.Query{}
	lost := r.Query.Outcome == bridge.Rejected || r.Query.Outcome == bridge.Parked
	switch {
	case r.Event != "" && query:
		errs = append(errs, errors.New("either one event or a query of many: both are given"))
	case r.Event == "" && !lost && r.Query.Template == "":
		errs = append(errs, errors.New("which events? name one (event), or a template and since when (query), or the outcome rejected or parked (query)"))
	case r.Event == "" && !lost && r.Query.Since.IsZero():
		errs = append(errs, errors.New("since when? all events that are kept may be many: name a time, such as 2h"))
	}
	if r.Query.Outcome != "" {
		if _, err := ParseOutcome(string(r.Query.Outcome)); err != nil {
			errs = append(errs, fmt.Errorf("outcome: %w", err))
		}
	}
	if r.Query.Limit < 0 {
		errs = append(errs, fmt.Errorf("limit: %d is less than 0", r.Query.Limit))
	}
	if r.ID != "" && !replayID.MatchString(r.ID) {
		errs = append(errs, errors.New("id: want at most 32 lower-case letters, digits and dashes, as in a Workflow's name"))
	}
	return errors.Join(errs...)
}

// parseReplay reads a request's body: one JSON object, without fields that do not exist.
func parseReplay(body []byte) (bridge.Replay, error) {
	var r bridge.Replay
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("body: not a replay as JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return r, errors.New("body: something stands behind the JSON object")
	}
	return r, CheckReplay(r)
}
