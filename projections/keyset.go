package projections

import "hash/maphash"

var hashSeed = maphash.MakeSeed()

func (k rowKey) hash() uint64 { return maphash.Comparable(hashSeed, k) }

// keySet holds keys, by their hashes, in two bytes each: a Bloom filter that grows by layers, each for twice as many
// keys as the one before. It may hold one that was never added, about once in a thousand; never the other way round.
type keySet struct {
	layers []keyLayer
}

type keyLayer struct {
	bits []uint64 // a power of two
	room int      // keys that may yet be added
}

const (
	firstLayer = 1 << 14 // keys
	bitsPerKey = 16
	probes     = 7
)

func (s *keySet) add(hash uint64) {
	if s.mayHold(hash) {
		return
	}
	n := len(s.layers)
	if n == 0 || s.layers[n-1].room == 0 {
		s.layers = append(s.layers, keyLayer{make([]uint64, firstLayer<<n*bitsPerKey/64), firstLayer << n})
		n++
	}
	l := &s.layers[n-1]
	l.room--
	for i := range uint64(probes) {
		word, bit := l.probe(hash, i)
		l.bits[word] |= bit
	}
}

func (s *keySet) mayHold(hash uint64) bool {
	for i := range s.layers {
		if s.layers[i].mayHold(hash) {
			return true
		}
	}
	return false
}

func (l *keyLayer) mayHold(hash uint64) bool {
	for i := range uint64(probes) {
		if word, bit := l.probe(hash, i); l.bits[word]&bit == 0 {
			return false
		}
	}
	return true
}

// probe returns where the i-th probe of a hash looks.
func (l *keyLayer) probe(hash, i uint64) (word int, bit uint64) {
	at := hash + i*(hash>>32|1)
	return int(at >> 6 & uint64(len(l.bits)-1)), 1 << (at & 63)
}
