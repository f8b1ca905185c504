package bus

import (
	"bytes"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/semaphore"
)

// Settings of compression. A window of half a megabyte costs JSON a few percent and bounds the memory
// of an encoder to about two megabytes; each works on one core, since several events may come at once.
const (
	encoderWindow = 512 << 10
	// decoderWindow is what RFC 8878, section 3.1.1.1.2, wants every decoder to take.
	decoderWindow = 8 << 20
	compressStep  = 128 << 10
)

// payloads is what the bus needs to carry large data: encoders and decoders for reuse, and the bound
// on how much is held at once.
type payloads struct {
	encoders, decoders sync.Pool
	budget             *semaphore.Weighted
	sweeper            sweeper
}

func newPayloads() *payloads { return &payloads{budget: semaphore.NewWeighted(consumeBudget)} }

// compress returns the data in compressed form, made while it is read: no second whole copy is held.
func (p *payloads) compress(data []byte) *compressor {
	c := &compressor{rest: data, owner: p}
	encoder, ok := p.encoders.Get().(*zstd.Encoder)
	if !ok {
		// The options are valid, so that there is no error.
		encoder, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithWindowSize(encoderWindow), zstd.WithLowerEncoderMem(true))
	}
	encoder.ResetContentSize(&c.out, int64(len(data)))
	c.encoder = encoder
	return c
}

// A compressor is an io.Reader of compressed data.
type compressor struct {
	rest    []byte
	out     bytes.Buffer
	encoder *zstd.Encoder
	ended   bool
	owner   *payloads
}

func (c *compressor) Read(p []byte) (int, error) {
	for !c.ended && c.out.Len() < len(p) {
		if err := c.step(); err != nil {
			return 0, err
		}
	}
	return c.out.Read(p)
}

func (c *compressor) step() error {
	if len(c.rest) == 0 {
		c.ended = true
		return c.encoder.Close()
	}
	n := min(len(c.rest), compressStep)
	_, err := c.encoder.Write(c.rest[:n])
	c.rest = c.rest[n:]
	return err
}

// Close gives the encoder back; the compressor cannot be read any more.
func (c *compressor) Close() {
	c.ended = true
	c.encoder.Reset(io.Discard)
	c.owner.encoders.Put(c.encoder)
	c.encoder = nil
}

func (p *payloads) decoder(r io.Reader) (*zstd.Decoder, error) {
	decoder, ok := p.decoders.Get().(*zstd.Decoder)
	if !ok {
		// With a concurrency of 1 a decoder has no goroutine that somebody would have to end.
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(decoderWindow), zstd.WithDecoderMaxMemory(maxData))
	}
	return decoder, decoder.Reset(r)
}

func (p *payloads) release(d *zstd.Decoder) {
	if d.Reset(nil) == nil { // lets go of the source
		p.decoders.Put(d)
	}
}
