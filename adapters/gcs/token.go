package gcs

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/auth/credentials/idtoken"
)

const (
	// issuer signs the tokens of push requests:
	// https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions#validate_tokens
	issuer = "https://accounts.google.com"
	// maxToken is more than Google's tokens have; they are about 1 KiB.
	maxToken = 8 << 10
	// keysTimeout bounds one fetch of Google's keys, and keysBackoff is how long a failed one stands.
	keysTimeout = 5 * time.Second
	keysBackoff = 5 * time.Second
)

var errKeys = errors.New("the keys of Google's tokens cannot be fetched")

// A verifier knows the tokens that Pub/Sub and Eventarc sign their requests with.
type verifier struct {
	audience string
	accounts []string
	tokens   *idtoken.Validator
}

// newVerifier takes tokens for the audience from one of the service accounts. Google's keys are kept as long as their
// Cache-Control says; a token that names an unknown key costs no fetch.
func newVerifier(c PushConfig, now func() time.Time) (*verifier, error) {
	return newVerifierWith(c, &keys{next: http.DefaultTransport, now: now})
}

func newVerifierWith(c PushConfig, k *keys) (*verifier, error) {
	tokens, err := idtoken.NewValidator(&idtoken.ValidatorOptions{
		Client:        &http.Client{Timeout: keysTimeout, Transport: k},
		RS256CertsURL: c.CertsURL,
	})
	if err != nil {
		return nil, fmt.Errorf("push: %w", err)
	}
	return &verifier{audience: c.Audience, accounts: c.ServiceAccounts, tokens: tokens}, nil
}

// claims are what is read of a token before its signature is known to be good.
type claims struct {
	Issuer        string `json:"iss"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
}

// verify returns nil for a request that one of the accounts has signed for this bridge, and errKeys when that cannot be
// known now. It reads the headers alone.
func (v *verifier) verify(ctx context.Context, h http.Header) error {
	scheme, token, ok := strings.Cut(h.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !ok || !strings.EqualFold(scheme, "bearer") || token == "" {
		return errors.New("there is no bearer token: let the subscription sign its requests, with --push-auth-service-account")
	}
	if len(token) > maxToken {
		return errors.New("the token is too long")
	}
	c, err := read(token)
	if err != nil {
		return err
	}
	if err := v.accepts(c); err != nil {
		return err
	}
	_, err = v.tokens.Validate(ctx, token, v.audience)
	if errors.Is(err, errKeys) {
		return err
	}
	if err != nil {
		return fmt.Errorf("the token does not hold: %s", strings.TrimPrefix(err.Error(), "idtoken: "))
	}
	return nil
}

// accepts tests the claims that the library leaves to its caller. They count once the signature holds.
func (v *verifier) accepts(c claims) error {
	switch {
	case c.Issuer != issuer:
		return errors.New("the token's issuer is not " + issuer)
	case !slices.Contains(v.accounts, c.Email):
		return errors.New("the token's service account is not in gcs.push.serviceAccounts")
	case !c.EmailVerified:
		return errors.New("the token's service account is not verified")
	}
	return nil
}

// read parses a token, and refuses what the library would not take well: other algorithms, no key, JSON that is no object.
func read(token string) (c claims, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, errors.New("the token is not a JWT")
	}
	var header struct {
		Algorithm string `json:"alg"`
		Key       string `json:"kid"`
	}
	if err := decode(parts[0], &header); err != nil {
		return c, err
	}
	if header.Algorithm != "RS256" || header.Key == "" {
		return c, errors.New("the token is not signed with RS256 by a named key")
	}
	return c, decode(parts[1], &c)
}

func decode(part string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) || json.Unmarshal(raw, into) != nil {
		return errors.New("the token is not a JWT")
	}
	return nil
}

// keys is the way to Google's keys. A failure stands for a moment, so that requests do not wait for the next one each.
type keys struct {
	next http.RoundTripper
	now  func() time.Time

	mu    sync.Mutex
	until time.Time
}

func (k *keys) RoundTrip(r *http.Request) (*http.Response, error) {
	k.mu.Lock()
	wait := k.now().Before(k.until)
	k.mu.Unlock()
	if wait {
		return nil, errKeys
	}
	response, err := k.next.RoundTrip(r)
	if err == nil && response.StatusCode == http.StatusOK {
		return response, nil
	}
	if err == nil {
		_ = response.Body.Close()
		err = errors.New(response.Status)
	}
	k.mu.Lock()
	k.until = k.now().Add(keysBackoff)
	k.mu.Unlock()
	return nil, fmt.Errorf("%w: %w", errKeys, err)
}
