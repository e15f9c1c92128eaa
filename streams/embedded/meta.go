package embedded

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/minio/highwayhash"

	"github.com/certtrail/certtrail/streams"
)

// checkMeta makes sure that the server can read what describes the stream. What is damaged is removed: the stream is
// then made again over its blocks.
func (g *guard) checkMeta() (lost bool, err error) {
	content, err := g.readMeta("meta.inf")
	if err != nil {
		return false, err
	}
	sum, err := g.readMeta("meta.sum")
	if err != nil {
		return false, err
	}
	if content == nil && sum == nil {
		return true, nil
	}
	var described struct{ Name string }
	if string(sum) == metaSum(content) && json.Unmarshal(content, &described) == nil && described.Name == streams.StreamName {
		return false, nil
	}
	g.logger.Warn("the server's description of the log is damaged and is written again; no event is concerned", "directory", g.layout.stream())
	for _, name := range []string{"meta.inf", "meta.sum"} {
		if err := os.Remove(filepath.Join(g.layout.stream(), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return true, nil
}

func (g *guard) readMeta(name string) ([]byte, error) {
	path := filepath.Join(g.layout.stream(), name)
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, unreadable(path, err)
	}
	return content, nil
}

// metaSum returns the sum that the server writes beside a description of the stream (server/filestore.go,
// writeStreamMeta).
func metaSum(content []byte) string {
	key := sha256.Sum256([]byte(streams.StreamName))
	sum := highwayhash.Sum64(content, key[:])
	return hex.EncodeToString(binary.LittleEndian.AppendUint64(nil, sum))
}
