package node

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
)

// snapshot streams the log's snapshot.
func (o *Node) snapshot(ctx context.Context, a *owner.Answer, _ *http.Request) (any, error) {
	if err := o.log.Snapshot(ctx, a.Stream("application/octet-stream")); err != nil {
		return nil, fmt.Errorf("%w; export writes what can be read", err)
	}
	return struct{}{}, nil
}

// settings streams the settings file that the owner was started with. Its result is the file's path, "" where there is
// none.
func (o *Node) settings(_ context.Context, a *owner.Answer, _ *http.Request) (any, error) {
	w := a.Stream("application/yaml")
	if o.Config.File == "" {
		return "", nil
	}
	content, err := os.ReadFile(o.Config.File)
	if err == nil {
		_, err = w.Write(content)
	}
	return o.Config.File, err
}
