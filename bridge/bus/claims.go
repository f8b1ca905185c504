package bus

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// The object store of the data that a message cannot hold, and how a message names an object in it:
// by the CloudEvents extension dataref,
// https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/dataref.md
const (
	claimStore  = bucketPrefix + "PAYLOADS"
	claimStream = "OBJ_" + claimStore
	claimScheme = "nats-object:" + claimStore + "/"
	dataref     = "dataref"

	// claimPart of Config.MaxBytes is what the objects may fill, but at least claimLeast: 40 of
	// GitHub's largest bodies in the default 2 GiB, were they random; such as they are, hundreds.
	claimPart  = 2
	claimLeast = 4 * maxData
	// claimChunk is the size of an object's messages: large enough for few round trips, and small
	// enough for any server.
	claimChunk = 256 << 10
)

// ErrGone says that the data of an event are no longer on the bus.
var ErrGone = errors.New("its object is not in the object store any more")

// claim is the name of the object that holds the data, if there is one in the bus's own store.
// Any other dataref is its publisher's, and stays an extension.
func (v envelope) claim() (name string, ok bool) {
	return strings.CutPrefix(v.attributes[dataref], claimScheme)
}

// claimName derives an object's name from event and content: whoever stores the same again finds
// it, and nothing else ever takes its place.
func claimName(e bridge.Event) string {
	sum := sha256.Sum256(e.Data)
	return e.Hash() + "-" + hex.EncodeToString(sum[:16])
}

// touchClaim makes an object young again, so that the sweep leaves it to the event that is about to
// name it; false when there is none, or when the sweep was faster.
func (b *Bus) touchClaim(ctx context.Context, name string) (bool, error) {
	object, err := b.claimInfo(ctx, name)
	if errors.Is(err, ErrGone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = b.putMeta(ctx, object)
	if hasChanged(err) { // removed, or touched by another: the next look says which
		return b.touchClaim(ctx, name)
	}
	return err == nil, err
}

// A claimObject is what the store knows of an object.
type claimObject struct {
	jetstream.ObjectInfo
	sequence uint64 // of the message that describes it
	raw      []byte // that message
}

func metaSubject(name string) string {
	return "$O." + claimStore + ".M." + base64.URLEncoding.EncodeToString([]byte(name))
}

func chunkSubject(nuid string) string { return "$O." + claimStore + ".C." + nuid }

// claimInfo describes an object; the error is ErrGone when there is none.
func (b *Bus) claimInfo(ctx context.Context, name string) (claimObject, error) {
	stream, err := b.js.Stream(ctx, claimStream)
	if err != nil {
		return claimObject{}, fmt.Errorf("stream %s: %w", claimStream, err)
	}
	m, err := stream.GetLastMsgForSubject(ctx, metaSubject(name))
	if isNotFound(err) {
		return claimObject{}, ErrGone
	}
	if err != nil {
		return claimObject{}, err
	}
	return readClaim(m)
}

func readClaim(m *jetstream.RawStreamMsg) (claimObject, error) {
	object := claimObject{sequence: m.Sequence, raw: m.Data}
	if err := json.Unmarshal(m.Data, &object.ObjectInfo); err != nil {
		return claimObject{}, fmt.Errorf("object %s: %w", m.Subject, err)
	}
	if object.Deleted {
		return claimObject{}, ErrGone
	}
	object.ModTime = m.Time
	return object, nil
}

// openClaim returns a reader of an object; it holds one chunk at a time. The error is permanent when
// there is no such object.
func (b *Bus) openClaim(ctx context.Context, name string) (io.Reader, error) {
	patience := b.patience()
	for {
		object, err := b.claimInfo(ctx, name)
		if err == nil {
			stream, err := b.js.Stream(ctx, claimStream)
			return &claimReader{ctx: ctx, stream: stream, object: object, patience: patience}, err
		}
		if !errors.Is(err, ErrGone) {
			return nil, err
		}
		if err := later(ctx, patience); err != nil {
			return nil, err
		}
	}
}

// A claimReader reads an object's chunks one after the other. The client's own reader is not used
// because the server pushes to it as fast as it can, and the chunks would wait in memory.
type claimReader struct {
	ctx      context.Context // of the one call that reads it
	stream   jetstream.Stream
	object   claimObject
	patience time.Time
	last     uint64 // sequence of the chunk before
	read     uint32 // chunks
	chunk    []byte
}

func (r *claimReader) Read(p []byte) (int, error) {
	for len(r.chunk) == 0 {
		if r.read == r.object.Chunks {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.chunk)
	r.chunk = r.chunk[n:]
	return n, nil
}

func (r *claimReader) next() error {
	for {
		m, err := r.stream.GetMsg(r.ctx, r.last+1, jetstream.WithGetMsgSubject(chunkSubject(r.object.NUID)))
		if err == nil {
			r.chunk, r.last, r.read = m.Data, m.Sequence, r.read+1
			return nil
		}
		if !isNotFound(err) {
			return err
		}
		if err := later(r.ctx, r.patience); err != nil {
			return r.incomplete(err)
		}
	}
}

// incomplete says why a chunk is missing: when the object has been stored anew meanwhile, reading it
// again will do.
func (r *claimReader) incomplete(err error) error {
	m, metaErr := r.stream.GetLastMsgForSubject(r.ctx, metaSubject(r.object.Name))
	if metaErr != nil {
		if isNotFound(metaErr) {
			return err
		}
		return metaErr
	}
	if now, infoErr := readClaim(m); infoErr == nil && now.NUID != r.object.NUID {
		return errors.New("its object was replaced while it was read")
	}
	return err
}
