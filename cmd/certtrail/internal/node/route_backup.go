package node

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
)

// snapshotLine is a piece of the snapshot, as the route for it writes them.
type SnapshotLine struct {
	Snapshot []byte `json:"snapshot"`
}

// snapshot streams the stream's snapshot.
func (o *Node) snapshot(ctx context.Context, a *owner.Answer, _ *http.Request) (any, error) {
	err := o.log.Snapshot(ctx, writerFunc(func(p []byte) (int, error) { return len(p), a.Line(SnapshotLine{p}) }))
	if err != nil {
		return nil, fmt.Errorf("%w; export writes what can be read", err)
	}
	return struct{}{}, nil
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// settingsCopy is the settings file that the owner was started with.
type SettingsCopy struct {
	Path    string `json:"path"` // "" when there is none
	Content []byte `json:"content"`
}

func (o *Node) settings(context.Context, *owner.Answer, *http.Request) (any, error) {
	if o.Config.File == "" {
		return SettingsCopy{}, nil
	}
	content, err := os.ReadFile(o.Config.File)
	return SettingsCopy{o.Config.File, content}, err
}
