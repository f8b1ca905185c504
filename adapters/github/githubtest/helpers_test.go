package githubtest

import (
	"encoding/json"
	"net/http"
)

func decodeBody(r *http.Response, v any) error { return json.NewDecoder(r.Body).Decode(v) }
