package bus

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// claimConfig is the stream of the object store, as JetStream's clients expect it.
func claimConfig(c Config) jetstream.StreamConfig {
	s := stream(c, claimStream, "argo-bridge: payloads that are too large for a message")
	s.Subjects = []string{"$O." + claimStore + ".C.>", "$O." + claimStore + ".M.>"}
	s.MaxBytes = claimBytes(c)
	s.AllowRollup = true
	return s
}

// claimBytes is what the objects may fill.
func claimBytes(c Config) int64 { return max(c.MaxBytes/claimPart, claimLeast) }

// storeClaim stores an object, unless it is there already. It comes before the event that names it:
// what a crash leaves between the two, the sweep removes. No message is larger than limit.
//
// The client's own upload is not used: it sends the description before it knows that all chunks are
// stored, which in a full store leaves an object with holes, and it replaces an object that is there.
func (b *Bus) storeClaim(ctx context.Context, name string, limit int, r io.Reader) error {
	if known, err := b.touchClaim(ctx, name); known || err != nil {
		return err
	}
	info := jetstream.ObjectInfo{Bucket: claimStore, NUID: nuid.Next(), ObjectMeta: jetstream.ObjectMeta{
		Name: name, Opts: &jetstream.ObjectMetaOptions{ChunkSize: uint32(min(claimChunk, limit))},
	}}
	err := b.storeChunks(ctx, &info, r)
	if err == nil {
		err = b.describeClaim(ctx, info)
	}
	if err != nil {
		b.dropChunks(ctx, info.NUID)
	}
	if hasChanged(err) { // another has stored the same meanwhile
		known, touchErr := b.touchClaim(ctx, name)
		if known {
			return nil
		}
		return errors.Join(err, touchErr)
	}
	return err
}

// storeChunks stores what r holds, chunk by chunk, and completes info.
func (b *Bus) storeChunks(ctx context.Context, info *jetstream.ObjectInfo, r io.Reader) error {
	chunk, digest := make([]byte, info.Opts.ChunkSize), sha256.New()
	for {
		n, err := io.ReadFull(r, chunk)
		if n > 0 {
			if _, err := b.js.Publish(ctx, chunkSubject(info.NUID), chunk[:n]); err != nil {
				return err
			}
			digest.Write(chunk[:n])
			info.Chunks++
			info.Size += uint64(n)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			info.Digest = jetstream.GetObjectDigestValue(digest)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// describeClaim makes an object of stored chunks.
func (b *Bus) describeClaim(ctx context.Context, info jetstream.ObjectInfo) error {
	raw, err := json.Marshal(info)
	if err != nil {
		return err
	}
	return b.putMeta(ctx, claimObject{ObjectInfo: info, raw: raw})
}

// putMeta publishes the description of an object, if the store still has the one of its sequence.
func (b *Bus) putMeta(ctx context.Context, object claimObject) error {
	_, err := b.js.PublishMsg(ctx, &nats.Msg{Subject: metaSubject(object.Name), Data: object.raw, Header: nats.Header{
		jetstream.MsgRollup:                 {jetstream.MsgRollupSubject},
		jetstream.ExpectedLastSubjSeqHeader: {fmt.Sprint(object.sequence)},
	}})
	return err
}

// hasChanged says whether a message was refused since its subject holds another by now.
func hasChanged(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// dropChunks makes room at once, also when ctx has ended; what it cannot remove, the sweep does.
func (b *Bus) dropChunks(ctx context.Context, nuid string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	stream, err := b.js.Stream(ctx, claimStream)
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSubject(chunkSubject(nuid)))
	}
	if err != nil {
		b.log.Debug("the chunks of a broken upload stay until the next sweep")
	}
}
