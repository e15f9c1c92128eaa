package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/streams/transfer"
)

// TestImportEndsWithTheLog imports into a log that is full, from someone who sends some events, and then neither more
// nor an end.
func TestImportEndsWithTheLog(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	k, err := node.Reach(ctx, &settings.Config{Systems: systems, DataDir: filepath.Join(t.TempDir(), "data"), MaxBytes: 2 << 20}, discard)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	body, sender := io.Pipe()
	go sender.Write(importLines(4097))
	err = k.Call(ctx, http.MethodPost, "/import", url.Values{"name": {"-"}}, body, nil, &transfer.Imported{})
	if err == nil || !strings.Contains(err.Error(), "the log stopped taking the events of -: ") || !strings.Contains(err.Error(), "raise max-bytes") {
		t.Errorf("the import ended with: %v", err)
	}
}
