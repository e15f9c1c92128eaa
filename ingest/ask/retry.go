package ask

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// backoff returns how long to wait before try n (the second is 1): it doubles from first up to most. jitter, from 0 to
// 1, takes up to half of it away, so that callers who failed together do not come back together.
func backoff(n int, first, most time.Duration, jitter float64) time.Duration {
	d := most
	if shift := n - 1; shift < 30 && first<<shift < most {
		d = first << shift
	}
	return d - time.Duration(float64(d)/2*jitter)
}

// retryAfter reads a Retry-After header (RFC 9110, section 10.2.3): seconds, or a date. It is false where there is none
// or it makes no sense.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	s := strings.TrimSpace(header.Get("Retry-After"))
	if s == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(s)
	if err != nil {
		return 0, false
	}
	return max(0, at.Sub(now)), true
}

// WaitFor waits for d, or until ctx is done, which is an error. It is the waiting of a running program; tests have
// another.
func WaitFor(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func randomJitter() float64 { return rand.Float64() }
