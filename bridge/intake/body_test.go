package intake

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func TestABodyIsReadOrItIsKnownWhyNot(t *testing.T) {
	t.Parallel()
	const most = 3 << 20
	large := strings.Repeat("x", 2<<20)
	for name, c := range map[string]struct {
		body   io.Reader
		length int64
		want   error
	}{
		"a small one":                         {strings.NewReader("hello"), 5, nil},
		"an empty one":                        {strings.NewReader(""), 0, nil},
		"one of more than a megabyte":         {strings.NewReader(large), int64(len(large)), nil},
		"one that does not say how long":      {strings.NewReader(large), -1, nil},
		"one that says that it is too large":  {strings.NewReader("x"), most + 1, ErrTooLarge},
		"one that does not, and is":           {strings.NewReader(large + large), -1, ErrTooLarge},
		"one that ends before its length":     {strings.NewReader("hel"), 5, ErrBrokenOff},
		"one that ends after a megabyte":      {strings.NewReader(large), int64(len(large)) + 1, ErrBrokenOff},
		"one for which there is no memory":    {iotest.ErrReader(bridge.RetryAfter(errors.New("full"), time.Second)), -1, ErrBusy},
		"one whose sender's connection broke": {iotest.ErrReader(errors.New("reset")), -1, ErrBrokenOff},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("POST", "/", c.body)
			r.ContentLength = c.length
			body, err := ReadBody(httptest.NewRecorder(), r, most)
			if !errors.Is(err, c.want) || err == nil && c.length >= 0 && int64(len(body)) != c.length {
				t.Errorf("%d bytes, %v, want %v", len(body), err, c.want)
			}
		})
	}
}
