package answer

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/certtrail/certtrail/projections"
)

// RetryAfter tells a client how many seconds to wait for a free place at /live, or for what is not ready.
const RetryAfter = "5"

var (
	ErrNoRoute = errors.New("nothing is at this address")
	ErrNoLog   = fmt.Errorf("%w, for this database has no log beside it", ErrNoRoute)
	ErrStill   = fmt.Errorf("%w: this database is of one moment, so nothing changes", ErrNoRoute)
	ErrFull    = errors.New("the answers under way hold all the memory that is set aside for them; ask again in a few seconds")
	ErrBusy    = errors.New("as many pages are being kept up to date as there is room for")
)

// MethodError refuses a method: the address answers these.
type MethodError []string

func (e MethodError) Error() string {
	last := len(e) - 1
	if last == 0 {
		return "certtrail only answers " + e[0] + " here"
	}
	return "certtrail only answers " + strings.Join(e[:last], ", ") + " and " + e[last] + " here"
}

// Handler answers one route. An error it returns has not been answered yet: page and api choose the status and log what
// is ours to mend.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Wrong returns an error about how a list was asked for.
func Wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s", projections.ErrQuery, fmt.Sprintf(format, args...))
}

// problemDocument follows RFC 9457.
type problemDocument struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func Problem(w http.ResponseWriter, status int, detail string) {
	body, err := json.Marshal(problemDocument{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail})
	if err != nil { // four plain fields always marshal
		body = []byte(`{"status":500}`)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}

// ErrForeign refuses a form that a page of another site sent. ErrForm marks every error in a form, which wraps it.
var (
	ErrForeign = errors.New("this form came from another site and changed nothing: open certtrail's own page and send it there")
	ErrForm    = errors.New("the form cannot be read")
)

// ErrDecision refuses a decision that says too little, or what cannot be; ErrNoMatter, one about what is no matter, or
// none any more.
var (
	ErrDecision = errors.New("nothing was decided")
	ErrNoMatter = errors.New("that is no matter any more")
)
