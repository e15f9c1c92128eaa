package projections

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// TestPagesAreBoundedByWeight reads lists whose rows are large: each page ends with the row with which it weighs as
// much as it may, and none is left out.
func TestPagesAreBoundedByWeight(t *testing.T) {
	const rows, names = 12, 300
	l := newMemoryLog()
	for i := range rows {
		var all []string
		for n := range names {
			all = append(all, fmt.Sprintf("host-%d.%s.example", n, strings.Repeat("x", 40)))
		}
		l.append(event(2*i, schema.OrderIssued, schema.Data{OrderID: fmt.Sprint(i), CertificateID: fmt.Sprint(i), Certificate: &schema.Certificate{DNSNames: all}}))
		body, err := json.Marshal(strings.Repeat("y", 20_000))
		if err != nil {
			t.Fatal(err)
		}
		l.append(event(2*i+1, schema.DeliveryUnrecognized, schema.Data{Reason: "nobody knows", Original: &schema.Original{Method: "POST", Body: body}}))
	}
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	const bytes = 50_000
	pages, seen, cursor := 0, map[string]bool{}, ""
	for next := "begin"; next != ""; cursor, pages = next, pages+1 {
		items, more, err := List(t.Context(), s, Certificates, Query{Bytes: bytes, Cursor: cursor, Sort: "id", Now: time.Now()})
		if err != nil || len(items) == 0 || len(items) > bytes/(names*40)+1 {
			t.Fatalf("%d certificates on a page, %v", len(items), err)
		}
		for _, c := range items {
			seen[c.ID] = true
		}
		next = more
	}
	if len(seen) != rows || pages < 3 {
		t.Errorf("%d of %d certificates on %d pages", len(seen), rows, pages)
	}
	pages, cursor = 0, ""
	quarantined := map[uint64]bool{}
	for next := "begin"; next != ""; cursor, pages = next, pages+1 {
		items, more, err := s.Quarantine(t.Context(), Query{Bytes: bytes, Cursor: cursor})
		if err != nil || len(items) == 0 || len(items) > 3 {
			t.Fatalf("%d events on a page, %v", len(items), err)
		}
		for _, q := range items {
			quarantined[q.Seq] = true
		}
		next = more
	}
	if len(quarantined) != rows || pages < 4 {
		t.Errorf("%d of %d events on %d pages", len(quarantined), rows, pages)
	}
}

// TestADomainTellsWhereThereAreMore has more large certificates of one name than one answer holds.
func TestADomainTellsWhereThereAreMore(t *testing.T) {
	l := newMemoryLog()
	for i := range 14 {
		all := []string{"www.example"}
		for n := range 3000 { // of 230 letters each
			all = append(all, fmt.Sprintf("host-%d%s.example", n, strings.Repeat("."+strings.Repeat("x", 52), 4)))
		}
		l.append(event(i, schema.OrderIssued, schema.Data{OrderID: fmt.Sprint(i), CertificateID: fmt.Sprint(i), Certificate: &schema.Certificate{DNSNames: all}}))
	}
	l.append(event(100, schema.DomainValidated, schema.Data{Domain: "www.example"}))
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	for _, m := range []Moment{{Now: time.Now()}, {Seq: 15, Now: time.Now()}} {
		d, err := s.DomainAt(t.Context(), "www.example", m)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Certificates) == 0 || len(d.Certificates) == 14 || !slices.Contains(d.Truncated, "certificates") || len(d.Validations) != 1 {
			t.Errorf("as of %+v: %d certificates, truncated %v", m, len(d.Certificates), d.Truncated)
		}
	}
}
