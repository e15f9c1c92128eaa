package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
)

// work is what a route does. It writes lines by way of a, and returns what it has to say at the end.
type work func(ctx context.Context, a *answer, r *http.Request) (done any, err error)

// handlerOf serves routes, and says of any other that this process does not know it.
func handlerOf(routes map[string]work) http.Handler {
	mux := http.NewServeMux()
	for pattern, do := range routes {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { serveWork(w, r, do) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		serveWork(w, r, func(context.Context, *answer, *http.Request) (any, error) {
			return nil, fmt.Errorf("process %d, which has the data directory, cannot do that: it is another version of certtrail (%s)", os.Getpid(), version())
		})
	})
	return mux
}

func serveWork(w http.ResponseWriter, r *http.Request, do work) {
	control := http.NewResponseController(w)
	// The answer begins before the request has been read, so that an import can be told at once what is wrong with it.
	if err := control.EnableFullDuplex(); err != nil {
		panic(err) // HTTP/1 over our own listener can do it
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	a := &answer{w: bufio.NewWriterSize(w, 64<<10), control: control}
	if err := a.flush(); err != nil {
		return
	}
	done, err := do(r.Context(), a, r)
	switch {
	case err == nil:
		err = a.line(map[string]any{"done": done})
	case errors.Is(err, context.Canceled):
		err = a.line(map[string]any{"error": fmt.Sprintf("process %d, which has the data directory, is stopping, or starting again", os.Getpid())})
	default:
		err = a.line(map[string]any{"error": err.Error()})
	}
	if err == nil {
		a.flush() // who hears nothing any more needs no end
	}
}

// answer is the lines that a route writes. One goroutine writes them.
type answer struct {
	w       *bufio.Writer
	control *http.ResponseController
}

func (a *answer) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = a.w.Write(append(b, '\n'))
	return err
}

// progress tells how far the work is, at once.
func (a *answer) progress(v any) error {
	if err := a.line(map[string]any{"progress": v}); err != nil {
		return err
	}
	return a.flush()
}

func (a *answer) flush() error {
	if err := a.w.Flush(); err != nil {
		return err
	}
	return a.control.Flush()
}

// about is what GET /owner answers: who owns the directory.
type about struct {
	Process   int    `json:"process"`
	Serving   bool   `json:"serving"`             // whether it takes deliveries
	Endpoints string `json:"endpoints,omitempty"` // where this machine reaches them
}
