package transfer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"slices"

	"github.com/google/uuid"

	"github.com/certtrail/certtrail/schema"
)

// ids holds a set of event ids, each as 16 bytes: a UUID as it is, any other by its digest. They lie close together in
// many small lists, by a hash of them: at five million they take 18 bytes each, a map's 29.
type ids struct {
	salt  [16]byte // of the digests, so that nobody can make one that is the same as another id
	seed  maphash.Seed
	lists [1 << 16][]id
}

type id [2]uint64 // quick to compare

func newIDs() *ids {
	s := &ids{seed: maphash.MakeSeed()}
	rand.Read(s.salt[:])
	return s
}

// add adds an id and tells whether it is new.
func (s *ids) add(text string) bool {
	key, err := uuid.Parse(text)
	if err != nil || len(text) != 36 || key.String() != text {
		sum := sha256.Sum256(append(s.salt[:], text...))
		copy(key[:], sum[:])
	}
	list := &s.lists[maphash.Bytes(s.seed, key[:])%uint64(len(s.lists))]
	k := id{binary.NativeEndian.Uint64(key[:]), binary.NativeEndian.Uint64(key[8:])}
	for _, other := range *list {
		if other == k {
			return false
		}
	}
	if n := len(*list); n == cap(*list) { // append would double it
		*list = append(slices.Grow([]id(nil), n+n/8+1), *list...)
	}
	*list = append(*list, k)
	return true
}

// addAll adds the id of every event in the log.
func (s *ids) addAll(ctx context.Context, log Log) error {
	last, err := log.Last(ctx)
	if err != nil {
		return err
	}
	return log.Read(ctx, 0, last, func(records []schema.Record) error {
		for i := range records {
			if e, err := schema.DecodeMeaning(records[i].Data); err == nil {
				s.add(e.ID)
				continue
			}
			// An event of another version may be more than this one understands, and has an id all the same.
			var e struct {
				ID string `json:"id"`
			}
			if json.Unmarshal(records[i].Data, &e) == nil && e.ID != "" {
				s.add(e.ID)
			}
		}
		return nil
	})
}
