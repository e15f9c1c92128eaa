package projections

import (
	"testing"

	"github.com/certtrail/certtrail/schema"
)

// TestHeavyFactsStandApart: a certificate's PEM is in no row that lists read, and is that of the certificate which the
// row tells of.
func TestHeavyFactsStandApart(t *testing.T) {
	l := newMemoryLog()
	n := 0
	issued := func(fingerprint, pem string) {
		n++
		l.append(event(n, schema.OrderIssued, schema.Data{Provider: "digicert", OrderID: "1", CertificateID: "7",
			Certificate: &schema.Certificate{CommonName: "a.example", FingerprintSHA256: fingerprint, PEM: pem}}))
	}
	s, _ := running(t, t.TempDir(), l)
	pem := func() (text string) {
		t.Helper()
		caughtUp(t, s)
		db, done, err := s.reader()
		if err != nil {
			t.Fatal(err)
		}
		defer done(&err)
		if err := db.QueryRow("SELECT coalesce((SELECT pem FROM certificates_apart WHERE provider = 'digicert' AND id = '7'), 'none')").Scan(&text); err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, step := range []struct{ fingerprint, pem, want string }{
		{"", "", "none"}, // its names alone
		{"aa", "one", "one"},
		{"aa", "", "one"}, // told of again, without it
		{"bb", "", ""},    // another, of which no more is known
		{"bb", "two", "two"},
	} {
		issued(step.fingerprint, step.pem)
		if got := pem(); got != step.want {
			t.Errorf("after %q with %q: %q, want %q", step.fingerprint, step.pem, got, step.want)
		}
	}
	digests(t, s)
}
