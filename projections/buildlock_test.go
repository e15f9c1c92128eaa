package projections

import (
	"testing"
	"testing/synctest"
)

// TestAClaimEndsWhoeverIsBefore has somebody wait to build when somebody else claims the lock: who gets it first, and
// could wait, is ended as well.
func TestAClaimEndsWhoeverIsBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBuildLock()
		first, leave, err := s.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			second, leave, err := s.acquire(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			<-second.Done()
			leave()
		}()
		synctest.Wait() // it is before the claim
		claimed := false
		go func() {
			leave, err := s.claim(t.Context())
			claimed = err == nil
			if err == nil {
				leave()
			}
		}()
		synctest.Wait()
		if first.Err() == nil {
			t.Error("the claim does not end who builds")
		}
		leave()
		synctest.Wait()
		if !claimed {
			t.Error("the claim waits for who came before it")
		}
	})
}
