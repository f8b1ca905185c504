package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// The headers of a signed request: https://docs.slack.dev/authentication/verifying-requests-from-slack
const (
	HeaderSignature = "X-Slack-Signature"
	HeaderTimestamp = "X-Slack-Request-Timestamp"

	// maxSkew is how old a signed request may be; an older one may be somebody's replay.
	maxSkew = 5 * time.Minute
)

// Sign returns the X-Slack-Signature header of a body that is sent with the timestamp (Unix
// seconds) in X-Slack-Request-Timestamp.
func Sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + timestamp + ":"))
	mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// verify says why a request cannot be trusted, "" if it can. slack-go's SecretsVerifier does the
// same for one secret and the machine's clock; here both are the caller's.
func verify(secrets []string, h http.Header, body []byte, now time.Time) (at time.Time, reason string) {
	timestamp, signature := h.Get(HeaderTimestamp), h.Get(HeaderSignature)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || signature == "" {
		return time.Time{}, refusedUnsigned
	}
	found := false
	for _, s := range secrets {
		if hmac.Equal([]byte(signature), []byte(Sign(s, timestamp, body))) {
			found = true
		}
	}
	at = time.Unix(seconds, 0).UTC()
	switch {
	case !found:
		return at, refusedUnsigned
	case now.Sub(at).Abs() > maxSkew:
		return at, refusedStale
	}
	return at, ""
}
