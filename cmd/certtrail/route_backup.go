package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
)

// snapshotLine is a piece of the snapshot, as the route for it writes them.
type snapshotLine struct {
	Snapshot []byte `json:"snapshot"`
}

// snapshot streams the stream's snapshot.
func (o *owner) snapshot(ctx context.Context, a *answer, _ *http.Request) (any, error) {
	err := o.log.Snapshot(ctx, writerFunc(func(p []byte) (int, error) { return len(p), a.line(snapshotLine{p}) }))
	if err != nil {
		return nil, fmt.Errorf("%w; export writes what can be read", err)
	}
	return struct{}{}, nil
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// settingsCopy is the settings file that the owner was started with.
type settingsCopy struct {
	Path    string `json:"path"` // "" when there is none
	Content []byte `json:"content"`
}

func (o *owner) settings(context.Context, *answer, *http.Request) (any, error) {
	if o.c.file == "" {
		return settingsCopy{}, nil
	}
	content, err := os.ReadFile(o.c.file)
	return settingsCopy{o.c.file, content}, err
}
