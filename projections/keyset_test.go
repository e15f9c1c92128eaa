package projections

import (
	"math/rand/v2"
	"testing"
)

func TestKeySet(t *testing.T) {
	const n = 200_000
	random := rand.New(rand.NewPCG(1, 2))
	s := &keySet{}
	added := make([]uint64, n)
	for i := range added {
		added[i] = random.Uint64()
		s.add(added[i])
	}
	for _, hash := range added {
		if !s.mayHold(hash) {
			t.Fatal("it lost a key")
		}
	}
	wrong := 0
	for range n {
		if s.mayHold(random.Uint64()) {
			wrong++
		}
	}
	if wrong > n/100 {
		t.Errorf("it takes %d of %d keys for its own", wrong, n)
	}
}
