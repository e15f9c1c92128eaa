package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/certtrail/certtrail/web/answer"
)

//go:embed static
var staticFiles embed.FS

// assets holds the files that pages load, under names that change with their content and may therefore be kept for
// ever.
type assets struct {
	content map[string][]byte // by name: "app.css"
	hashed  map[string]string // "app.css" to "app.0123456789ab.css"
	plain   map[string]string // and back
}

// theAssets returns the files of the program, made once: what they are made of is part of it.
var theAssets = sync.OnceValues(newAssets)

func newAssets() (*assets, error) {
	a := &assets{map[string][]byte{}, map[string]string{}, map[string]string{}}
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		return nil, fmt.Errorf("couldn't list the static files: %w", err)
	}
	for _, e := range entries {
		b, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("couldn't read a static file: %w", err)
		}
		sum := sha256.Sum256(b)
		ext := path.Ext(e.Name())
		hashed := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.content[e.Name()], a.hashed[e.Name()], a.plain[hashed] = b, hashed, e.Name()
	}
	return a, nil
}

// path returns the address of a file for templates. A name that no file has is a mistake in a template, so it fails
// there.
func (a *assets) path(name string) (string, error) {
	hashed, ok := a.hashed[name]
	if !ok {
		return "", fmt.Errorf("no static file is named %q", name)
	}
	return "/static/" + hashed, nil
}

// static serves a file by its hashed name, to be kept, or by its plain name, not to be.
func (s *Server) static(w http.ResponseWriter, r *http.Request) error {
	name, err := answer.PathVar(r, "file")
	if err != nil {
		return err
	}
	if plain, ok := s.assets.plain[name]; ok {
		name = plain
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	b, ok := s.assets.content[name]
	if !ok {
		return answer.ErrNoRoute
	}
	w.Header().Set("Content-Type", contentType(name))
	w.Write(b)
	return nil
}

// contentType knows the few kinds there are, whatever the machine's own tables say.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".yaml":
		return "application/yaml"
	}
	return mime.TypeByExtension(path.Ext(name))
}
