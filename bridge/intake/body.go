package intake

import (
	"errors"
	"io"
	"net/http"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Why a body could not be read.
var (
	ErrTooLarge  = errors.New("the body is too large")
	ErrBrokenOff = errors.New("the body ended early")
	// ErrBusy says that other large bodies take the memory: the sender may come again later.
	ErrBusy = errors.New("too many large requests at once")
)

// ReadBody reads the body of a request, of at most so many bytes. Its errors are those above.
func ReadBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	if r.ContentLength > most {
		return nil, ErrTooLarge
	}
	body, err := readAll(http.MaxBytesReader(w, r.Body, most), r.ContentLength)
	var limit *http.MaxBytesError
	switch _, full := bridge.Wait(err); {
	case full:
		return nil, ErrBusy
	case errors.As(err, &limit):
		return nil, ErrTooLarge
	case err != nil:
		return nil, ErrBrokenOff
	}
	return body, nil
}

// readAll reads a body of the length that its sender states, or of any if that is -1. The first
// megabyte is read before there is room for the rest: a statement alone costs no more, and a body is
// copied once instead of each time that its buffer grows.
func readAll(body io.Reader, length int64) ([]byte, error) {
	const first = 1 << 20
	if length < 0 {
		return io.ReadAll(body)
	}
	head := make([]byte, min(length, first))
	if _, err := io.ReadFull(body, head); err != nil || length <= first {
		return head, err
	}
	whole := make([]byte, length)
	n := copy(whole, head)
	_, err := io.ReadFull(body, whole[n:])
	return whole, err
}
