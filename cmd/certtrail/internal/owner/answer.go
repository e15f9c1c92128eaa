package owner

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/version"
)

// The protocol is plain HTTP. A route answers a result as JSON; or an error as a status and a sentence. While it works,
// interim responses (102) tell its progress. A route that streams answers bytes, and then a trailer with its result or
// its error: a stream without either broke off.
const (
	progressHeader = "Certtrail-Progress" // JSON
	resultTrailer  = "Certtrail-Result"   // JSON
	errorTrailer   = "Certtrail-Error"    // a sentence, quoted
)

// Work answers one route: it tells its progress or streams by way of a, and returns its result.
type Work func(ctx context.Context, a *Answer, r *http.Request) (result any, err error)

// About answers GET /owner: who owns the directory.
type About struct {
	Process   int    `json:"process"`
	Serving   bool   `json:"serving"`             // whether it takes deliveries
	Endpoints string `json:"endpoints,omitempty"` // where this machine reaches them
}

// Handler serves routes, and says of any other that this process does not know it.
func Handler(routes map[string]Work) http.Handler {
	mux := http.NewServeMux()
	for pattern, do := range routes {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { serve(w, r, do) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, fmt.Sprintf("process %d, which has the data directory, cannot do that: it is another version of certtrail (%s)",
			os.Getpid(), version.String()), http.StatusNotImplemented)
	})
	return mux
}

func serve(w http.ResponseWriter, r *http.Request, do Work) {
	control := http.NewResponseController(w)
	// An answer may come before the request has been read, so that an import can be told at once what is wrong with it.
	if err := control.EnableFullDuplex(); err != nil {
		panic(err) // HTTP/1 over our own listener can do it
	}
	a := &Answer{ctx: r.Context(), w: w, control: control}
	result, err := do(a.ctx, a, r)
	a.end(result, err)
}

// Answer carries what a route answers. One goroutine at a time uses it.
type Answer struct {
	ctx     context.Context
	w       http.ResponseWriter
	control *http.ResponseController
	stream  *bufio.Writer // nil until it begins
}

// Progress tells at once how far the work is, before the result. It fails once nobody waits for the result.
func (a *Answer) Progress(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	a.w.Header().Set(progressHeader, string(b))
	a.w.WriteHeader(http.StatusProcessing)
	a.w.Header().Del(progressHeader)
	return a.ctx.Err()
}

// Stream begins an answer of bytes. What is written reaches the client at the latest when the stream ends; Flush sends
// it at once.
func (a *Answer) Stream(contentType string) *bufio.Writer {
	a.w.Header().Set("Content-Type", contentType)
	a.w.Header().Set("Trailer", resultTrailer+", "+errorTrailer)
	a.stream = bufio.NewWriterSize(a.w, 64<<10)
	return a.stream
}

// Flush sends what has been written to the stream.
func (a *Answer) Flush() error {
	if err := a.stream.Flush(); err != nil {
		return err
	}
	return a.control.Flush()
}

// Interrupt ends the read of the request's body that is under way.
func (a *Answer) Interrupt() { _ = a.control.SetReadDeadline(time.Now()) }

// end sends the result or the error. Whoever is gone needs none, so nobody is told of an answer that cannot be written.
func (a *Answer) end(result any, err error) {
	var b []byte
	if err == nil {
		b, err = json.Marshal(result)
	}
	status := http.StatusInternalServerError
	if errors.Is(err, context.Canceled) {
		status, err = http.StatusServiceUnavailable, fmt.Errorf("process %d, which has the data directory, is stopping, or starting again", os.Getpid())
	}
	switch {
	case a.stream != nil && err != nil:
		a.w.Header().Set(errorTrailer, strconv.QuoteToASCII(err.Error()))
		_ = a.Flush()
	case a.stream != nil:
		a.w.Header().Set(resultTrailer, string(b))
		_ = a.Flush()
	case err != nil:
		http.Error(a.w, err.Error(), status)
	default:
		a.w.Header().Set("Content-Type", "application/json")
		_, _ = a.w.Write(b)
	}
}
