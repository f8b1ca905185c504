package cloudevents

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
)

// A gate knows who may send to an endpoint.
type gate struct {
	tokens [][sha256.Size]byte // hashes, so that comparing tells nothing of a token's length either
	hmac   [][]byte
	header string
}

func newGate(s Secrets, header string) gate {
	g := gate{header: header}
	if header == "" {
		g.header = DefaultSignatureHeader
	}
	for _, token := range s.Tokens {
		if token != "" {
			g.tokens = append(g.tokens, sha256.Sum256([]byte(token)))
		}
	}
	for _, secret := range s.HMAC {
		// An empty key would make a signature that anybody can compute.
		if secret != "" {
			g.hmac = append(g.hmac, []byte(secret))
		}
	}
	return g
}

// bears says whether a header may let the request in, before its body is read.
func (g gate) bears(h http.Header) bool {
	return g.token(h) || len(g.hmac) > 0 && h.Get(g.header) != ""
}

// opens says whether the request bears a token, or a signature of its body.
func (g gate) opens(h http.Header, body []byte) bool {
	return g.token(h) || g.signed(h.Get(g.header), body)
}

func (g gate) token(h http.Header) bool {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") || token == "" {
		return false
	}
	got, ok := sha256.Sum256([]byte(strings.TrimSpace(token))), 0
	for _, want := range g.tokens {
		ok |= subtle.ConstantTimeCompare(got[:], want[:])
	}
	return ok == 1
}

func (g gate) signed(signature string, body []byte) bool {
	got, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
	if err != nil {
		return false
	}
	for _, secret := range g.hmac {
		if hmac.Equal(got, sum(secret, body)) {
			return true
		}
	}
	return false
}

// Sign returns the signature of a body as a sender writes it into the header.
func Sign(secret string, body []byte) string {
	return "sha256=" + hex.EncodeToString(sum([]byte(secret), body))
}

func sum(secret, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return mac.Sum(nil)
}
