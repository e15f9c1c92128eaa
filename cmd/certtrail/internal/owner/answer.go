package owner

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/version"
)

// work is what a route does. It writes lines by way of a, and returns what it has to say at the end.
type Work func(ctx context.Context, a *Answer, r *http.Request) (done any, err error)

// handlerOf serves routes, and says of any other that this process does not know it.
func Handler(routes map[string]Work) http.Handler {
	mux := http.NewServeMux()
	for pattern, do := range routes {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { serve(w, r, do) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		serve(w, r, func(context.Context, *Answer, *http.Request) (any, error) {
			return nil, fmt.Errorf("process %d, which has the data directory, cannot do that: it is another version of certtrail (%s)", os.Getpid(), version.String())
		})
	})
	return mux
}

func serve(w http.ResponseWriter, r *http.Request, do Work) {
	control := http.NewResponseController(w)
	// The answer begins before the request has been read, so that an import can be told at once what is wrong with it.
	if err := control.EnableFullDuplex(); err != nil {
		panic(err) // HTTP/1 over our own listener can do it
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	a := &Answer{w: bufio.NewWriterSize(w, 64<<10), Control: control}
	if err := a.Flush(); err != nil {
		return
	}
	done, err := do(r.Context(), a, r)
	switch {
	case err == nil:
		err = a.Line(map[string]any{"done": done})
	case errors.Is(err, context.Canceled):
		err = a.Line(map[string]any{"error": fmt.Sprintf("process %d, which has the data directory, is stopping, or starting again", os.Getpid())})
	default:
		err = a.Line(map[string]any{"error": err.Error()})
	}
	if err == nil {
		a.Flush() // who hears nothing any more needs no end
	}
}

// answer is the lines that a route writes. One goroutine writes them.
type Answer struct {
	w       *bufio.Writer
	Control *http.ResponseController
}

func (a *Answer) Line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = a.w.Write(append(b, '\n'))
	return err
}

// progress tells how far the work is, at once.
func (a *Answer) Progress(v any) error {
	if err := a.Line(map[string]any{"progress": v}); err != nil {
		return err
	}
	return a.Flush()
}

func (a *Answer) Flush() error {
	if err := a.w.Flush(); err != nil {
		return err
	}
	return a.Control.Flush()
}

// about is what GET /owner answers: who owns the directory.
type About struct {
	Process   int    `json:"process"`
	Serving   bool   `json:"serving"`             // whether it takes deliveries
	Endpoints string `json:"endpoints,omitempty"` // where this machine reaches them
}
