package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// TestOrderWithItsParts: an order comes with what its own CA says of its names, or of those above them, and with its
// certificates; as of then too.
func TestOrderWithItsParts(t *testing.T) {
	l := newMemoryLog()
	n := 0
	add := func(kind schema.Kind, d schema.Data) { l.append(event(n, kind, d)); n++ }
	names := func(serial string, names ...string) *schema.Certificate {
		return &schema.Certificate{SerialNumber: serial, DNSNames: names}
	}
	until := schema.At(began.AddDate(0, 0, 190))
	add(schema.DomainValidated, schema.Data{Provider: "digicert", Domain: "example.com", ExpiresAt: &until})                                                  // 1
	add(schema.DomainValidated, schema.Data{Provider: "xolphin", Domain: "www.example.com"})                                                                  // 2: another CA's
	add(schema.OrderIssued, schema.Data{Provider: "digicert", OrderID: "7", CertificateID: "71", Certificate: names("a1", "www.example.com", "*.b.example")}) // 3
	add(schema.DomainValidated, schema.Data{Provider: "digicert", Domain: "b.example"})                                                                       // 4
	add(schema.DomainExpired, schema.Data{Provider: "digicert", Domain: "example.com"})                                                                       // 5
	add(schema.OrderIssued, schema.Data{Provider: "digicert", OrderID: "7", CertificateID: "72", Certificate: names("a2", "www.example.com", "*.b.example")}) // 6
	add(schema.OrderIssued, schema.Data{Provider: "digicert", OrderID: "8", CertificateID: "81", Certificate: names("a3", "other.example")})                  // 7
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	for seq, want := range map[uint64]string{
		3: "[example.com validated] [71 issued]",
		4: "[b.example validated example.com validated] [71 issued]",
		5: "[b.example validated example.com expired] [71 issued]",
		6: "[b.example validated example.com expired] [72 issued 71 issued -> 72]",
		0: "[b.example validated example.com expired] [72 issued 71 issued -> 72]", // the present
	} {
		o, err := One(context.Background(), s, Orders, "digicert", "7", Moment{Seq: seq, Now: began.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		var domains, certificates []string
		for _, d := range o.Validations {
			domains = append(domains, d.Name+" "+d.State)
		}
		for _, c := range o.Certificates {
			text := c.ID + " " + c.State
			if c.Successor != nil {
				text += " -> " + c.Successor.ID
			}
			if c.Timeline != nil || c.AsOf != nil {
				t.Error("a part has a timeline or a moment of its own")
			}
			certificates = append(certificates, text)
		}
		if got := fmt.Sprint(domains, " ", certificates); got != want {
			t.Errorf("as of event %d: %s, want %s", seq, got, want)
		}
	}
}

// TestThePastOfAnOrderOfManyCertificates: those that came later do not crowd out the ones that there were.
func TestThePastOfAnOrderOfManyCertificates(t *testing.T) {
	l := newMemoryLog()
	for n := range 2 * orderCertificatesLimit {
		l.append(event(n, schema.OrderIssued, schema.Data{OrderID: "7", CertificateID: fmt.Sprint(n)}))
	}
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	for want, m := range map[int]Moment{10: {Seq: 10}, 20: {Time: began.Add(19 * time.Second)}, orderCertificatesLimit: {Now: began}} {
		o, err := One(t.Context(), s, Orders, "digicert", "7", m)
		if err != nil || len(o.Certificates) != want {
			t.Fatalf("as of %+v there are %d certificates (%v), want %d", m, len(o.Certificates), err, want)
		}
		if o.Certificates[0].ID != o.CertificateID {
			t.Errorf("as of %+v the newest is %s, want %s", m, o.Certificates[0].ID, o.CertificateID)
		}
	}
}

func TestValidatedAs(t *testing.T) {
	for name, want := range map[string][]string{
		"www.shop.example.com": {"www.shop.example.com", "shop.example.com", "example.com"}, "example.com": {"example.com"}, "*.example.com": {"*.example.com", "example.com"},
		"*.com": {"*.com", "com"}, "localhost": {"localhost"}, "": {""},
	} {
		if got := ValidatedAs(name); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// TestLongHistoriesAreBounded: of a row that events never stop to concern an answer tells the newest, and refuses to
// fold what would take too long.
func TestLongHistoriesAreBounded(t *testing.T) {
	l := newMemoryLog()
	for i := range pastLimit + 1 {
		l.append(event(i, schema.OrderUpdated, schema.Data{Provider: "digicert", OrderID: "7"}))
	}
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	o, err := One(context.Background(), s, Orders, "digicert", "7", Moment{Now: began})
	if err != nil || len(o.Timeline) != TimelineLimit || o.Timeline[TimelineLimit-1].Seq != pastLimit+1 || o.EventCount != pastLimit+1 {
		t.Fatalf("the present has %d events: %v", len(o.Timeline), err)
	}
	if _, err := One(context.Background(), s, Orders, "digicert", "7", Moment{Seq: 5}); !errors.Is(err, ErrNoPast) {
		t.Errorf("the past of a longer history than is folded: %v", err)
	}
}
