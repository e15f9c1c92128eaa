package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/streams"
)

// readExport reads what an import of that file would append.
func readExport(file []byte, known *ids) (events []streams.Raw, err error) {
	clear(known.lists[:])
	i := &Import{known: known, mark: []byte(`"certtrailimported":"now",`)}
	from := bufio.NewReader(bytes.NewReader(file))
	for err == nil {
		var p portion
		p, err = i.read(from)
		events = append(events, p.events...)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return events, err
}

// smallEvents makes events as the log has them.
func smallEvents(n int) [][]byte {
	var events [][]byte
	for i := range n {
		events = append(events, fmt.Appendf(nil, `{"specversion":"1.0","id":"a:%d","source":"/hooks/digicert","type":"certtrail.order.issued.v1","time":"2026-01-01T00:00:00.000Z",`+
			`"data":{"provider":"digicert","event":"é","order_id":"%[1]d"}}`, i))
	}
	return events
}

// TestEveryFlipOfAnExport flips each bit of exports of one event and of three, and cuts them anywhere: what is not
// refused is what was exported.
func TestEveryFlipOfAnExport(t *testing.T) {
	known := newIDs()
	for _, n := range []int{1, 3} {
		var file []byte
		for _, e := range smallEvents(n) {
			file = append(addChecksum(file, e), '\n')
		}
		want, err := readExport(file, known)
		if err != nil || len(want) != n {
			t.Fatalf("%d of %d events are read: %v", len(want), n, err)
		}
		check := func(what string, damaged []byte, cut bool) {
			got, err := readExport(damaged, known)
			for i, e := range got {
				if e.ID != want[i].ID || !bytes.Equal(e.Data, want[i].Data) {
					t.Fatalf("%s: an event is read as %s, want %s", what, e.Data, want[i].Data)
				}
			}
			if len(got) < n && err == nil && !cut {
				t.Fatalf("%s: %d of %d events are read, and nothing is said", what, len(got), n)
			}
		}
		for bit := range 8 * len(file) {
			damaged := bytes.Clone(file)
			damaged[bit/8] ^= 1 << (bit % 8)
			check(fmt.Sprintf("bit %d of byte %d", bit%8, bit/8), damaged, false)
		}
		for at := range file {
			before := file[:at]
			check(fmt.Sprintf("cut at %d", at), before, len(before) == 0 || bytes.HasSuffix(before, []byte("\n")) || file[at] == '\n')
		}
	}
}

// TestExportsWithoutChecksums imports such exports, but for what is not UTF-8.
func TestExportsWithoutChecksums(t *testing.T) {
	known := newIDs()
	file := append(bytes.Join(smallEvents(3), []byte("\n")), '\n')
	if events, err := readExport(file, known); err != nil || len(events) != 3 {
		t.Errorf("%d events are read: %v", len(events), err)
	}
	checked := append(addChecksum(nil, smallEvents(4)[3]), '\n')
	if events, err := readExport(append(bytes.Clone(file), checked...), known); err != nil || len(events) != 4 {
		t.Errorf("with a newer one behind it %d events are read: %v", len(events), err)
	}
	if events, err := readExport(append(bytes.Clone(checked), file...), known); !errors.Is(err, errNoChecksum) || len(events) != 1 {
		t.Errorf("with a newer one before it %d events are read: %v", len(events), err)
	}
	if _, err := readExport(bytes.Replace(file, []byte("é"), []byte("\xc3"), 1), known); err == nil || !strings.Contains(err.Error(), "not UTF-8") {
		t.Errorf("what is not UTF-8: %v", err)
	}
}
