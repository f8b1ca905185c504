package gcs

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

const (
	audience = "https://bridge.example.com/webhooks/gcs"
	pusher   = "pusher@acme.iam.gserviceaccount.com"
)

// A signer signs tokens as Google does, and serves its public key as Google's certificates.
type signer struct {
	key     *rsa.PrivateKey
	server  *httptest.Server
	fetches atomic.Int32
	down    atomic.Bool
	control string // Cache-Control of the keys
}

func newSigner(t testing.TB) *signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := &signer{key: key, control: "public, max-age=3600, must-revalidate"}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.fetches.Add(1)
		if s.down.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Cache-Control", s.control)
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []map[string]string{{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k1",
			"n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
		}}})
	}))
	t.Cleanup(s.server.Close)
	return s
}

func (s *signer) config() PushConfig {
	return PushConfig{Audience: audience, ServiceAccounts: []string{pusher}, CertsURL: s.server.URL}
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func part(v any) string {
	b, _ := json.Marshal(v)
	return encode(b)
}

// good are the claims of a token that is taken, with changes.
func good(changes map[string]any) map[string]any {
	c := map[string]any{
		"iss": issuer, "aud": audience, "email": pusher, "email_verified": true, "sub": "117",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	for k, v := range changes {
		c[k] = v
	}
	return c
}

func rs256(key *rsa.PrivateKey, header, claims any) string {
	text := part(header) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	signature, _ := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	return text + "." + encode(signature)
}

func (s *signer) token(changes map[string]any) string {
	return rs256(s.key, map[string]string{"alg": "RS256", "kid": "k1", "typ": "JWT"}, good(changes))
}

// hs256 signs with the public key as the secret of an HMAC: the classic confusion of algorithms.
func (s *signer) hs256(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := part(map[string]string{"alg": "HS256", "kid": "k1"}) + "." + part(good(nil))
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

func (s *signer) pem(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
