package node

import (
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/certtrail/certtrail/web"
)

// starting serves the pages' address from the first moment on: how far the log has been read, and then what there is.
type starting struct {
	handler     atomic.Pointer[http.Handler] // nil: the log is being read
	done, total atomic.Int64                 // of its files
}

func (s *starting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := web.Starting(func() (done, total int) { return int(s.done.Load()), int(s.total.Load()) })
	if ready := s.handler.Load(); ready != nil {
		h = *ready
	}
	h.ServeHTTP(w, r)
}

// readingInterval sets how often the log reports how far its reading is.
const readingInterval = time.Second

// reading tells s and the logger how far the log has been read, which calls it one at a time.
func (s *starting) reading(logger *slog.Logger) func(done, total int) {
	told := time.Now()
	return func(done, total int) {
		s.done.Store(int64(done))
		s.total.Store(int64(total))
		if time.Since(told) >= readingInterval {
			told = time.Now()
			logger.Info("reading the log", "files", done, "of", total)
		}
	}
}
