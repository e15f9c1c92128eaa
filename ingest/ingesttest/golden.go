package ingesttest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// update rewrites what Golden compares with: go test ./ingest/... -update. A golden file that changes is a new version
// of the decoder.
var update = flag.Bool("update", false, "rewrite the golden files")

// golden holds what a delivery decodes to, as its file has it.
type golden struct {
	Kind       schema.Kind    `json:"kind,omitempty"`
	Data       *schema.Data   `json:"data,omitempty"`
	About      *string        `json:"about,omitempty"`  // the name of the person it is about
	Person     *schema.Person `json:"person,omitempty"` // which data does not show
	Quarantine *quarantine    `json:"quarantine,omitempty"`
}

type quarantine struct {
	Event      string `json:"event,omitempty"`
	Reason     string `json:"reason"`
	Unreadable bool   `json:"unreadable"`
}

// Golden decodes every testdata/*.http, a request as it goes over the wire, and compares with the .json of the same
// name.
func Golden(t *testing.T, p provider.Provider) {
	files, err := filepath.Glob("testdata/*.http")
	if err != nil || len(files) == 0 {
		t.Fatalf("no deliveries in testdata: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".http"), func(t *testing.T) {
			d := ReadRequest(t, file)
			Check(t, p, d)
			Redacted(t, p, d)
			got := describe(t, p, d)
			goldenFile := strings.TrimSuffix(file, ".http") + ".json"
			if *update {
				if err := os.WriteFile(goldenFile, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(goldenFile)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("decodes to\n%s, want\n%s", got, want)
			}
		})
	}
}

func describe(t *testing.T, p provider.Provider, d *provider.Delivery) []byte {
	t.Helper()
	var g golden
	kind, data, err := p.Decode(d)
	var q *provider.Quarantine
	if errors.As(err, &q) {
		g.Quarantine = (*quarantine)(q)
	} else {
		g.Kind, g.Data = kind, &data
		if data.User != nil {
			g.Person = data.User.Person
		}
	}
	if name, is := about(p, d); is {
		g.About = &name
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// ReadRequest reads "POST /hooks/<source>[-<feed>][/<token>][?<query>]", headers, an empty line and the body, which
// ends before the file's last line end.
func ReadRequest(t testing.TB, file string) *provider.Delivery {
	t.Helper()
	f, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(f)))
	line, err := r.ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	header, err := r.ReadMIMEHeader()
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.R)
	if err != nil {
		t.Fatal(err)
	}
	method, target, _ := strings.Cut(line, " ")
	path, query, _ := strings.Cut(target, "?")
	source, token, _ := strings.Cut(strings.TrimPrefix(path, "/hooks/"), "/")
	_, feed, _ := strings.Cut(source, "-")
	return &provider.Delivery{Feed: feed, Method: method, Token: token, Query: query, Header: header, Body: bytes.TrimSuffix(body, []byte("\n"))}
}
