package githubtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// key is the App's private key, one for all Servers of a test binary since making one takes long.
var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// KeyPEM is the App's private key as GitHub hands it out: PEM of PKCS #1.
func KeyPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key())})
}

// authenticate says who a request is from, or the answer to one that is from nobody.
func (s *Server) authenticate(r *http.Request, app bool) (id identity, status int, message string) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch scheme = strings.ToLower(scheme); {
	case secret == "" || scheme != "bearer" && scheme != "token":
		return id, http.StatusUnauthorized, "Requires authentication"
	case app:
		message = verify(secret, &key().PublicKey, s.options.AppID, time.Now())
		if message != "" {
			return id, http.StatusUnauthorized, message
		}
		return identity{App: true}, 0, ""
	case strings.Count(secret, ".") == 2:
		return id, http.StatusUnauthorized, "Bad credentials" // a JWT is for the App's own routes only
	}
	return s.bearer(secret)
}

// verify says with GitHub's words what is wrong with a JWT, "" if nothing:
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
func verify(jwt string, key *rsa.PublicKey, app int64, now time.Time) string {
	const undecodable = "A JSON web token could not be decoded"
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return undecodable
	}
	var header struct {
		Alg string `json:"alg"`
	}
	var claims struct {
		Iat, Exp int64
		Iss      any
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !decode(parts[0], &header) || !decode(parts[1], &claims) || header.Alg != "RS256" {
		return undecodable
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) != nil {
		return undecodable
	}
	switch issuer := claims.Iss.(type) {
	case string:
		if issuer != strconv.FormatInt(app, 10) {
			return "Integration not found"
		}
	case float64:
		if int64(issuer) != app {
			return "Integration not found"
		}
	default:
		return "'Issuer' claim ('iss') must be an Integer"
	}
	switch {
	case claims.Iat == 0 || time.Unix(claims.Iat, 0).After(now):
		return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
	case !time.Unix(claims.Exp, 0).After(now):
		return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
	case time.Unix(claims.Exp, 0).After(now.Add(10 * time.Minute)):
		return "'Expiration time' claim ('exp') is too far in the future"
	}
	return ""
}

func decode(part string, v any) bool {
	b, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(b, v) == nil
}
