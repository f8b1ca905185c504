package github

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const signaturePrefix = "sha256="

// Sign returns the X-Hub-Signature-256 header of a body:
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
func Sign(secret string, body []byte) string {
	return signaturePrefix + hex.EncodeToString(digest([]byte(secret), body))
}

func digest(secret, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return mac.Sum(nil)
}

// signed says whether one of the secrets made the signature, in a time that depends neither on the
// signature nor on which secret it was.
func signed(secrets [][]byte, header string, body []byte) bool {
	encoded, ok := strings.CutPrefix(header, signaturePrefix)
	if !ok || len(encoded) != hex.EncodedLen(sha256.Size) {
		return false
	}
	got, err := hex.DecodeString(encoded)
	if err != nil {
		return false
	}
	found := false
	for _, s := range secrets {
		if hmac.Equal(got, digest(s, body)) {
			found = true
		}
	}
	return found
}
