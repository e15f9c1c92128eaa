package provider

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/ingest/redact"
	"github.com/certtrail/certtrail/schema"
)

// maxChain bounds how many certificates of a chain are looked at; the providers send three or four.
const maxChain = 16

// ParseCertificate reads the leaf of a chain: PEM in any order, with any line ends (also "\n" written out), or bare
// base64 of the DER. PEM is read more leniently than by encoding/pem, because forms and JSON inside JSON lose line
// ends.
func ParseCertificate(chainPEM string) (*schema.Certificate, error) {
	certs, err := parseChain(chainPEM)
	leaf := leafOf(certs)
	if leaf == nil && err == nil && len(certs) > 0 {
		leaf = certs[0]
	}
	switch {
	case leaf != nil:
		return describe(leaf), nil
	case err != nil: // a CA certificate must not pass for the leaf that could not be read
		return nil, err
	}
	return nil, errors.New("there is no certificate in it")
}

// parseChain returns what can be read of the chain, and why the first unreadable part of it cannot.
func parseChain(s string) ([]*x509.Certificate, error) {
	ders, firstErr := derBlocks(s)
	var certs []*x509.Certificate
	for _, der := range ders {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			firstErr = cmp.Or(firstErr, fmt.Errorf("the certificate is not X.509: %.200s", err))
			continue
		}
		certs = append(certs, cert)
	}
	return certs, firstErr
}

func derBlocks(s string) ([][]byte, error) {
	const begin, end, dashes = "-----BEGIN ", "-----END ", "-----"
	if strings.Contains(s, `\`) {
		s = strings.NewReplacer(`\r`, "\n", `\n`, "\n").Replace(s)
	}
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	if !strings.Contains(s, begin) {
		der, err := fromBase64(s)
		if err != nil {
			return nil, errors.New("the certificate is neither PEM nor base64")
		}
		return [][]byte{der}, nil
	}
	var ders [][]byte
	var firstErr error
	for len(ders) < maxChain {
		_, rest, ok := strings.Cut(s, begin)
		if !ok {
			break
		}
		label, rest, _ := strings.Cut(rest, dashes)
		body, rest, closed := strings.Cut(rest, end)
		s = rest
		if label != "CERTIFICATE" && label != "X509 CERTIFICATE" {
			continue
		}
		der, err := fromBase64(body)
		if err != nil || !closed {
			firstErr = cmp.Or(firstErr, errors.New("the certificate's PEM is cut off or not base64"))
			continue
		}
		ders = append(ders, der)
	}
	return ders, firstErr
}

// fromBase64 reads base64 over several lines, with or without padding. A space within a line is the plus sign of a form
// whose sender did not escape it; where all is one line, it stands for a line end.
func fromBase64(s string) ([]byte, error) {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\r' || r == '\n' })
	if len(lines) < 2 {
		lines = strings.Fields(s)
	}
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(strings.TrimSpace(line), " ", "+")
	}
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.Join(lines, ""), "="))
}

// leafOf returns the first certificate that is neither a CA's nor the issuer of another one; old roots do not say that
// they are a CA's.
func leafOf(certs []*x509.Certificate) *x509.Certificate {
	for _, c := range certs {
		issues := slices.ContainsFunc(certs, func(other *x509.Certificate) bool {
			return !bytes.Equal(other.Raw, c.Raw) && bytes.Equal(other.RawIssuer, c.RawSubject)
		})
		if !c.IsCA && !issues {
			return c
		}
	}
	return nil
}

func describe(c *x509.Certificate) *schema.Certificate {
	notBefore, notAfter := schema.At(c.NotBefore), schema.At(c.NotAfter)
	serial := hex.EncodeToString(c.SerialNumber.Bytes())
	if serial == "" {
		serial = "00"
	}
	issuer := c.Issuer.CommonName
	if issuer == "" {
		issuer = c.Issuer.String()
	}
	sum := sha256.Sum256(c.Raw)
	return &schema.Certificate{
		SerialNumber: serial, CommonName: CommonName(c.Subject.CommonName), DNSNames: dnsNames(c.DNSNames), Issuer: issuer,
		NotBefore: &notBefore, NotAfter: &notAfter, KeyAlgorithm: keyAlgorithm(c), FingerprintSHA256: hex.EncodeToString(sum[:]),
		PEM: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})),
	}
}

// CommonName writes a certificate's common name as certtrail stores it: as a domain name if it is one, else as it
// stands ("Example Issuing CA"), with people's e-mail addresses, which S/MIME certificates have there, masked. One
// label alone names no host.
func CommonName(cn string) string {
	if name, err := schema.DomainName(cn); err == nil && strings.Contains(name, ".") {
		return name
	}
	return redact.MaskEmails(Clip(cn, MaxText))
}

func dnsNames(sans []string) []string {
	var names []string
	seen := make(map[string]bool, len(sans))
	for _, san := range sans {
		name, err := schema.DomainName(san)
		if err != nil {
			name = strings.ToLower(san)
		}
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

func keyAlgorithm(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA-" + key.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	if c.PublicKeyAlgorithm == x509.UnknownPublicKeyAlgorithm {
		return ""
	}
	return c.PublicKeyAlgorithm.String()
}
