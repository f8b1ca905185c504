package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/nats-io/nats.go"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Sizes of an event's data, in bytes.
const (
	// compressAbove is what data may have to stay as it is, so that any CloudEvents client reads it.
	// Nearly all events are smaller; those that are not gain most by compression.
	compressAbove = 64 << 10
	// inlineMax is what a message holds at most, even where the server takes more: it is NATS'
	// default max_payload, and client and server each hold a message in memory as a whole.
	inlineMax = 1 << 20
	// headerReserve is the part of a message that is left to its headers. The largest that a source
	// makes is the subject of an object: a name of 1,024 bytes, each of which may need three.
	headerReserve = 16 << 10
	// maxData bounds the data of one event: GitHub's largest webhook body is 25 MB
	// (https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap). It is also the
	// bound on what a compressed message may become.
	maxData = 32 << 20
)

// Headers of data that is not in the message as it is.
const (
	headerEncoding = "content-encoding" // HTTP's, https://www.rfc-editor.org/rfc/rfc9110#field.content-encoding
	headerSize     = "argo-bridge-data-size"
	encodingZstd   = "zstd"
)

// attach puts the event's data into its message: as it is, compressed, or as a reference to an object
// that it stores.
func (b *Bus) attach(ctx context.Context, m *nats.Msg, e bridge.Event) error {
	limit := b.inlineLimit()
	switch {
	case len(e.Data) > maxData:
		return bridge.Permanent(fmt.Errorf("publish: %d bytes of data are more than %d", len(e.Data), maxData))
	case len(e.Data) <= min(compressAbove, limit):
		m.Data = e.Data
		return nil
	}
	m.Header[headerEncoding] = []string{encodingZstd}
	m.Header[headerSize] = []string{strconv.Itoa(len(e.Data))}
	compressed := b.payloads.compress(e.Data)
	defer compressed.Close()
	head, err := io.ReadAll(io.LimitReader(compressed, int64(limit)+1))
	if err != nil {
		return fmt.Errorf("compress the data: %w", err)
	}
	if len(head) <= limit {
		m.Data = head
		return nil
	}
	name := claimName(e)
	if err := b.storeClaim(ctx, name, limit, io.MultiReader(bytes.NewReader(head), compressed)); err != nil {
		return fmt.Errorf("publish: store the payload: %w", err)
	}
	m.Header[headerPrefix+dataref] = []string{claimScheme + name}
	return nil
}

// inlineLimit is how much data a message may hold.
func (b *Bus) inlineLimit() int {
	limit := inlineMax
	if server := int(b.conn.MaxPayload()); server > 0 {
		limit = min(limit, server)
	}
	return max(limit-headerReserve, limit/2)
}

// decode restores the event of a message. The error is permanent when the message is no CloudEvent
// with JSON data, or its data is broken, too large or gone.
func (b *Bus) decode(ctx context.Context, v envelope) (bridge.Event, error) {
	data, err := b.payloads.restore(v, func(name string) (io.Reader, error) { return b.openClaim(ctx, name) })
	if err != nil {
		return bridge.Event{}, fmt.Errorf("the data of event %q: %w", v.attributes["id"], err)
	}
	e, err := v.event(data)
	return e, bridge.Permanent(err)
}

// restore returns the data as it was published. What the message claims to have stored in the object
// store is read by fetch; those attributes are taken out of the envelope that only say where it is.
func (p *payloads) restore(v envelope, fetch func(name string) (io.Reader, error)) ([]byte, error) {
	name, claimed := v.claim()
	if claimed {
		delete(v.attributes, dataref)
	}
	claimed = claimed && len(v.data) == 0 // data that is there is the same: CloudEvents' dataref extension
	plain := v.encoding == "" || v.encoding == "identity"
	switch {
	case plain && !claimed:
		return v.data, nil
	case !plain && v.encoding != encodingZstd:
		return nil, bridge.Permanent(fmt.Errorf("content-encoding %q is not understood: only %s is", v.encoding, encodingZstd))
	}
	source := &sourceReader{r: bytes.NewReader(v.data)}
	if claimed {
		object, err := fetch(name)
		if err != nil {
			return nil, err
		}
		source.r = object
	}
	data, err := p.decompress(source, v.size, plain)
	if source.err != nil { // nothing is wrong with the data itself
		return nil, source.err
	}
	return data, bridge.Permanent(err)
}

func (p *payloads) decompress(r io.Reader, size int64, plain bool) ([]byte, error) {
	if plain {
		return readData(r, size)
	}
	decoder, err := p.decoder(r)
	if err != nil {
		return nil, err
	}
	defer p.release(decoder)
	return readData(decoder, size)
}

var errDataSize = errors.New("it does not have the size that its headers state")

// readData reads all of r: size bytes, or what there is when size is 0, and no more than maxData.
func readData(r io.Reader, size int64) ([]byte, error) {
	if size == 0 {
		data, err := io.ReadAll(io.LimitReader(r, maxData+1))
		if err == nil && len(data) > maxData {
			err = fmt.Errorf("it is larger than %d bytes", maxData)
		}
		return data, err
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errDataSize
		}
		return nil, err
	}
	if n, err := io.ReadFull(r, make([]byte, 1)); n > 0 {
		return nil, errDataSize
	} else if !errors.Is(err, io.EOF) { // the checksum, which stands at the end
		return nil, err
	}
	return data, nil
}

// dataSize reads the header that states the data's size; 0 for what cannot be.
func dataSize(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > maxData {
		return 0
	}
	return n
}

// A sourceReader remembers the error with which reading failed, to tell it from the decoder's own.
type sourceReader struct {
	r   io.Reader
	err error
}

func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
