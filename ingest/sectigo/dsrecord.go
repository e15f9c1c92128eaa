package sectigo

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// maxDigest allows more bytes than any digest has.
const maxDigest = 128

// fromObject reads an object as a DS record. A DNSKEY beside it has an algorithm, and perhaps a key tag, but no digest.
func fromObject(object map[string]any) (record, bool) {
	var tag, algorithm, digestType, digest, created any
	found := 0
	for _, key := range slices.Sorted(maps.Keys(object)) {
		var field *any
		switch squash(key) {
		case "keytag":
			field = &tag
		case "algorithm", "alg":
			field = &algorithm
		case "digesttype", "digestalgorithm":
			field = &digestType
		case "digest":
			field = &digest
		case "createdat":
			created = object[key]
			continue
		default:
			continue
		}
		if *field == nil && object[key] != nil {
			*field = object[key]
			found++
		}
	}
	if found < 3 && (tag == nil || digest == nil) {
		return record{}, false
	}
	r := newRecord(plain(tag), plain(algorithm), plain(digestType), plain(digest))
	r.created, _ = schema.ParseTime(plain(created)) // without one it counts as the oldest
	return r, true
}

// plain writes a string or a number as text; anything else gives nothing.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// fromText reads the DS records in presentation format (RFC 4034, section 5.3), "example.test. 3600 IN DS 12345 13 2
// 49FD…", or without what stands before the key tag if the key speaks of a DS. Text that only mentions a DS is none.
func fromText(s string, at place) []record {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i], _, _ = strings.Cut(line, ";")
	}
	if strings.Contains(s, "(") { // parentheses join lines
		lines = []string{strings.NewReplacer("(", " ", ")", " ").Replace(strings.Join(lines, " "))}
	}
	var records []record
	for _, line := range lines {
		words := strings.Fields(line)
		i := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, "DS") })
		if i < 0 && !strings.Contains(strings.ToLower(at.key), "ds") {
			continue
		}
		rdata := words[i+1:]
		if len(rdata) < 4 || !digits(rdata[0]) || i < 0 && !(digits(rdata[1]) && digits(rdata[2])) || len(records) >= maxRecords {
			continue
		}
		r := newRecord(rdata[0], rdata[1], rdata[2], strings.Join(rdata[3:], ""))
		r.domain = at.domain
		if i > 0 && strings.Contains(words[0], ".") {
			r.domain = words[0]
		}
		records = append(records, r)
	}
	return records
}

func newRecord(tag, algorithm, digestType, digest string) record {
	var r record
	t, err := strconv.ParseUint(tag, 10, 16)
	if err != nil {
		r.err = fmt.Errorf("the DS record's key tag %.40q is not a number from 0 to 65535", tag)
		return r
	}
	r.ds.KeyTag = uint16(t)
	if r.ds.Algorithm, err = code(algorithm, algorithms); err != nil {
		r.err = fmt.Errorf("the DS record's algorithm %w", err)
		return r
	}
	if r.ds.DigestType, err = code(digestType, digestTypes); err != nil {
		r.err = fmt.Errorf("the DS record's digest type %w", err)
		return r
	}
	r.ds.Digest = strings.Join(strings.Fields(digest), "")
	r.err = checkDigest(r.ds)
	return r
}

func checkDigest(ds schema.DS) error {
	want := map[uint8]int{1: 20, 2: 32, 3: 32, 4: 48}[ds.DigestType]
	sum, err := hex.DecodeString(ds.Digest)
	switch {
	case ds.Digest == "":
		return errors.New("the DS record has no digest")
	case err != nil:
		return errors.New("the DS record's digest is not hex")
	case want > 0 && len(sum) != want:
		return fmt.Errorf("the DS record's digest has %d bytes, digest type %d has %d", len(sum), ds.DigestType, want)
	case len(sum) > maxDigest:
		return fmt.Errorf("the DS record's digest has %d bytes, more than any digest has", len(sum))
	}
	return nil
}

// code reads a number from 1 to 255, or the number of a mnemonic. 0 is reserved: it means no DS at all (RFC 8078,
// section 4).
func code(s string, mnemonics map[string]uint8) (uint8, error) {
	if n, err := strconv.ParseUint(s, 10, 8); err == nil && n > 0 {
		return uint8(n), nil
	}
	if n, ok := mnemonics[squash(s)]; ok {
		return n, nil
	}
	return 0, fmt.Errorf("%.40q is neither a number from 1 to 255 nor a known name", s)
}

// algorithms maps the mnemonics of IANA's "DNS Security Algorithm Numbers", squashed.
var algorithms = map[string]uint8{
	"rsamd5": 1, "dh": 2, "dsa": 3, "rsasha1": 5, "dsansec3sha1": 6, "rsasha1nsec3sha1": 7, "rsasha256": 8, "rsasha512": 10, "eccgost": 12,
	"ecdsap256sha256": 13, "ecdsap384sha384": 14, "ed25519": 15, "ed448": 16, "sm2sm3": 17, "eccgost12": 23,
}

// digestTypes maps the names of IANA's "DNSSEC Delegation Signer (DS) Resource Record (RR) Type Digest Algorithms",
// likewise.
var digestTypes = map[string]uint8{"sha1": 1, "sha256": 2, "gost": 3, "gostr341194": 3, "sha384": 4, "gost12": 5, "sm3": 6}

// squash makes "keyTag" of "Key_Tag" and the like one: lower-case letters and digits.
func squash(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case '0' <= r && r <= '9' || 'a' <= r && r <= 'z':
			return r
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return -1
	}, s)
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
