package web

import (
	"fmt"
	"net/http"

	"github.com/certtrail/certtrail/web/answer"
)

// maxForm bounds the bytes of a form.
const maxForm = 64 << 10

// act serves a route that changes something. h runs for forms of our own pages and for programs, never for a page of
// another site: a browser says in Sec-Fetch-Site or Origin where a request comes from, and a program, which nobody can
// make send one with another's rights, says neither. A cookie that ever stands for a person has to be SameSite too. h
// finds the form in r.PostForm; what it returns is answered as page does it.
func (s *Server) act(h answer.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	return s.page(func(w http.ResponseWriter, r *http.Request) error {
		if origin.Check(r) != nil {
			return answer.ErrForeign
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return fmt.Errorf("%w: %w", answer.ErrForm, err)
		}
		return h(w, r)
	})
}
