package sectigo

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// Limits of the search for DS records; a rotation has a handful, three levels deep.
const (
	maxDepth   = 16
	maxRecords = 64
)

// readDS reads the new DS record, and the domain, out of a rotation's body. The pages "DNSSEC Rotation Start Webhook"
// and "… Complete Webhook" show body.delegation_signer_record.ds_records[], all values strings, and no domain; the
// older "Webhook Events" page promises only a new DS record, so that is looked for wherever it may be.
func readDS(out *schema.Data, body, target json.RawMessage) {
	root := untyped(body)
	var s search
	s.walk(root, place{}, 0)
	domains := []string{domainOf(root)}
	if len(s.records) > 0 {
		best := slices.MinFunc(s.records, preferred)
		if best.err == nil {
			out.DS = &best.ds
		}
		domains = append([]string{best.domain}, domains...)
	}
	if object, ok := root.(map[string]any); ok {
		domains = append(domains, domainOf(object["website"]))
	}
	readDomain(out, append(domains, domainOf(untyped(target))))
	switch i := slices.IndexFunc(s.records, func(r record) bool { return r.err != nil }); {
	case i >= 0: // also beside one that can be read, which may then not be the newest
		out.Unreadable = append(out.Unreadable, schema.Unreadable{Part: "ds", Reason: s.records[i].err.Error()})
	case len(s.records) == 0:
		out.Unreadable = append(out.Unreadable, schema.Unreadable{Part: "ds", Reason: "the body holds no DS record"})
	}
}

func readDomain(out *schema.Data, candidates []string) {
	var firstErr error
	for _, s := range candidates {
		if s == "" {
			continue
		}
		name, err := schema.DomainName(s)
		if err == nil {
			out.Domain = name
			return
		}
		firstErr = cmp.Or(firstErr, fmt.Errorf("the domain %.80q is not a domain name", s))
	}
	if firstErr != nil {
		out.Unreadable = append(out.Unreadable, schema.Unreadable{Part: "domain", Reason: firstErr.Error()})
	}
}

func untyped(raw json.RawMessage) any {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber() // a key tag must not become 1.2345e4
	var v any
	_ = dec.Decode(&v) // it was read once already, or is absent
	return v
}

// record holds something that looks like a DS record, and why it is none.
type record struct {
	ds      schema.DS
	err     error
	created schema.Time
	domain  string
}

// place says where in the body a value stands: under which key, below which domain.
type place struct{ key, domain string }

type search struct{ records []record }

func (s *search) walk(v any, at place, depth int) {
	if depth > maxDepth || len(s.records) >= maxRecords {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		at.domain = cmp.Or(domainOf(v), at.domain)
		if r, ok := fromObject(v); ok {
			r.domain = at.domain
			s.records = append(s.records, r)
			return
		}
		for _, key := range slices.Sorted(maps.Keys(v)) { // sorted, so that the same bytes mean the same
			if !outgoing(key) {
				s.walk(v[key], place{key, at.domain}, depth+1)
			}
		}
	case []any:
		for _, element := range v {
			s.walk(element, at, depth+1)
		}
	case string:
		s.records = append(s.records, fromText(v, at)...)
	}
}

// outgoing reports whether a key says that what it holds is the record to go; telling people to publish that one would
// be worse than telling nothing.
func outgoing(key string) bool {
	key = strings.ToLower(key)
	return strings.HasPrefix(key, "old") || strings.HasPrefix(key, "prev") || strings.HasPrefix(key, "retired")
}

// preferred orders what can be read before what cannot, SHA-256 before SHA-384 before SHA-1 (RFC 8624, section 3.3)
// before others, newer before older.
func preferred(a, b record) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), b.created.Compare(a.created.Time))
}

func rank(r record) int {
	switch {
	case r.err != nil:
		return 5
	case r.ds.DigestType == 2:
		return 1
	case r.ds.DigestType == 4:
		return 2
	case r.ds.DigestType == 1:
		return 3
	}
	return 4
}

// domainOf returns the domain that an object names: {"domain":"…"}, {"domain":{"name":"…"}} or {"domain_name":"…"}.
func domainOf(v any) string {
	object, _ := v.(map[string]any)
	for _, key := range []string{"domain", "domain_name"} {
		switch v := object[key].(type) {
		case string:
			if v = strings.TrimSpace(v); v != "" {
				return v
			}
		case map[string]any:
			if name, _ := v["name"].(string); strings.TrimSpace(name) != "" {
				return strings.TrimSpace(name)
			}
		}
	}
	return ""
}
