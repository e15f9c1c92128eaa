package provider

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// chain holds a leaf, its intermediate and its root, as DER, made for one test.
type chain struct{ leaf, intermediate, root []byte }

func newChain(t *testing.T, leaf *x509.Certificate, key crypto.Signer) chain {
	t.Helper()
	ca, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	authority := func(cn string, serial int64) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: cn, Organization: []string{"Example"}}, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter,
			IsCA: true, BasicConstraintsValid: true,
		}
	}
	root, intermediate := authority("Example Root CA", 1), authority("Example Issuing CA", 2)
	sign := func(template, parent *x509.Certificate, pub any, with crypto.Signer) []byte {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, with)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	return chain{
		leaf: sign(leaf, intermediate, key.Public(), ca), intermediate: sign(intermediate, root, ca.Public(), ca), root: sign(root, root, ca.Public(), ca),
	}
}

func toPEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func ecKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func leafTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes([]byte{0x06, 0x69, 0xd4, 0x6c}), Subject: pkix.Name{CommonName: "WWW.Example.test"},
		DNSNames:  []string{"WWW.Example.test", "*.example.TEST", "www.example.test", "xn--bcher-kva.example"},
		NotBefore: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 6, 7, 23, 59, 59, 0, time.UTC), BasicConstraintsValid: true,
	}
}

func TestParseCertificate(t *testing.T) {
	c := newChain(t, leafTemplate(), ecKey(t))
	leaf, intermediate, root := toPEM(c.leaf), toPEM(c.intermediate), toPEM(c.root)
	body := strings.TrimSuffix(strings.TrimPrefix(leaf, "-----BEGIN CERTIFICATE-----\n"), "-----END CERTIFICATE-----\n")
	spoilt := strings.Replace(root, "MII", "!!!", 1)
	for name, in := range map[string]string{
		"leaf alone":              leaf,
		"chain, leaf first":       leaf + intermediate + root,
		"chain, root first":       root + intermediate + leaf,
		"CRLF":                    strings.ReplaceAll(leaf+intermediate, "\n", "\r\n"),
		"escaped LF":              strings.ReplaceAll(leaf+intermediate, "\n", `\n`),
		"escaped CRLF":            strings.ReplaceAll(intermediate+leaf, "\n", `\r\n`),
		"no line ends":            strings.ReplaceAll(leaf+intermediate, "\n", ""),
		"spaces for line ends":    strings.ReplaceAll(leaf+intermediate, "\n", " "),
		"spaces for plus signs":   strings.ReplaceAll(leaf+intermediate, "+", " "),
		"junk around":             "subject=CN=x\n" + leaf + "\nissuer=…\n" + intermediate + "tail",
		"twice":                   leaf + leaf,
		"other blocks":            "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + leaf,
		"unreadable after leaf":   leaf + spoilt,
		"base64 of DER":           body,
		"base64 without line end": base64.StdEncoding.EncodeToString(c.leaf),
		"base64 without padding":  base64.RawStdEncoding.EncodeToString(c.leaf),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseCertificate(in)
			if err != nil {
				t.Fatal(err)
			}
			notBefore, notAfter, sum := schema.At(leafTemplate().NotBefore), schema.At(leafTemplate().NotAfter), sha256.Sum256(c.leaf)
			want := &schema.Certificate{
				SerialNumber: "0669d46c", CommonName: "www.example.test", DNSNames: []string{"www.example.test", "*.example.test", "xn--bcher-kva.example"},
				Issuer: "Example Issuing CA", NotBefore: &notBefore, NotAfter: &notAfter, KeyAlgorithm: "ECDSA-P-256",
				FingerprintSHA256: hex.EncodeToString(sum[:]), PEM: leaf,
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%+v, want\n%+v", got, want)
			}
		})
	}
}

func TestParseCertificateErrors(t *testing.T) {
	c := newChain(t, leafTemplate(), ecKey(t))
	leaf := toPEM(c.leaf)
	for name, tc := range map[string]struct{ in, want string }{
		"nothing":              {" \n", "there is no certificate in it"},
		"words":                {"MII...", "the certificate is neither PEM nor base64"},
		"only a key":           {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "there is no certificate in it"},
		"cut off":              {leaf[:len(leaf)/2], "the certificate's PEM is cut off or not base64"},
		"not base64":           {"-----BEGIN CERTIFICATE-----\nMII...\n-----END CERTIFICATE-----\n", "the certificate's PEM is cut off or not base64"},
		"not DER":              {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "the certificate is not X.509: x509: malformed certificate"},
		"only the CA is whole": {strings.Replace(leaf, "MII", "!!!", 1) + toPEM(c.intermediate), "the certificate's PEM is cut off or not base64"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseCertificate(tc.in)
			if err == nil || err.Error() != tc.want {
				t.Errorf("got %+v, error %q, want error %q", got, err, tc.want)
			}
		})
	}
}

func TestParseCertificateNamesAndKeys(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		cn, wantCN string
		sans, want []string
		key        crypto.Signer
		algorithm  string
	}{
		"a person":         {cn: "Jane Example", wantCN: "Jane Example", key: rsaKey, algorithm: "RSA-2048"},
		"an address":       {cn: "jane.doe@example.test", wantCN: "j…@example.test", key: edKey, algorithm: "Ed25519"},
		"one label":        {cn: "Jane", wantCN: "Jane", key: edKey, algorithm: "Ed25519"},
		"wildcard":         {cn: "*.Example.TEST", wantCN: "*.example.test", sans: []string{"*.Example.TEST"}, want: []string{"*.example.test"}, key: edKey, algorithm: "Ed25519"},
		"a SAN of no form": {cn: "a.test", wantCN: "a.test", sans: []string{"A..Test"}, want: []string{"a..test"}, key: edKey, algorithm: "Ed25519"},
		"underscores":      {cn: "_dmarc.a.test", wantCN: "_dmarc.a.test", sans: []string{"_X.a.test"}, want: []string{"_x.a.test"}, key: edKey, algorithm: "Ed25519"},
	} {
		t.Run(name, func(t *testing.T) {
			template := leafTemplate()
			template.Subject.CommonName, template.DNSNames = tc.cn, tc.sans
			got, err := ParseCertificate(toPEM(newChain(t, template, tc.key).leaf))
			if err != nil {
				t.Fatal(err)
			}
			if got.CommonName != tc.wantCN || !slices.Equal(got.DNSNames, tc.want) || got.KeyAlgorithm != tc.algorithm {
				t.Errorf("got %q, %q, %q", got.CommonName, got.DNSNames, got.KeyAlgorithm)
			}
		})
	}
}

func TestParseCertificateOldRoot(t *testing.T) {
	template := leafTemplate()
	template.BasicConstraintsValid = false // as a root of version 1 has it: no word on being a CA
	key := ecKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	child := leafTemplate()
	child.Subject.CommonName, child.SerialNumber = "child.example.test", big.NewInt(0)
	childDER, err := x509.CreateCertificate(rand.Reader, child, template, key.Public(), key)
	if err != nil {
		t.Fatalf("this Go makes no certificate with serial number 0: %v", err)
	}
	got, err := ParseCertificate(toPEM(der) + toPEM(childDER))
	if err != nil {
		t.Fatal(err)
	}
	if got.CommonName != "child.example.test" || got.Issuer != "WWW.Example.test" || len(got.SerialNumber)%2 != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestParseCertificateRootAlone(t *testing.T) {
	c := newChain(t, leafTemplate(), ecKey(t))
	got, err := ParseCertificate(toPEM(c.root))
	if err != nil || got.CommonName != "Example Root CA" || got.SerialNumber != "01" {
		t.Errorf("got %+v, error %v", got, err)
	}
	if got, err := ParseCertificate(toPEM(c.intermediate) + toPEM(c.root)); err != nil || got.CommonName != "Example Issuing CA" {
		t.Errorf("without a leaf the first is taken: got %+v, error %v", got, err)
	}
}

func TestParseCertificateManyBlocks(t *testing.T) {
	c := newChain(t, leafTemplate(), ecKey(t))
	many := strings.Repeat(toPEM(c.root), 1500)
	if _, err := ParseCertificate(many + toPEM(c.leaf)); err != nil {
		t.Error(err)
	}
}

func FuzzParseCertificate(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"))
	f.Add([]byte(`-----BEGIN -----BEGIN CERTIFICATE----------END \r\n`))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := ParseCertificate(string(in))
		if (got == nil) == (err == nil) {
			t.Fatalf("got %+v and error %v", got, err)
		}
		if got == nil {
			return
		}
		if len(got.SerialNumber)%2 != 0 {
			t.Errorf("serial number %q is not whole bytes", got.SerialNumber)
		}
		again, err := ParseCertificate(got.PEM)
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("the leaf's own PEM reads as %+v, error %v; want %+v", again, err, got)
		}
		if !bytes.HasPrefix([]byte(got.PEM), []byte("-----BEGIN CERTIFICATE-----\n")) {
			t.Errorf("PEM is %q", got.PEM)
		}
	})
}
