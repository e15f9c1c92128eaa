package web_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

var now = time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)

func ago(d time.Duration) schema.Time { return schema.At(now.Add(-d)) }

func pago(d time.Duration) *schema.Time { t := ago(d); return &t }

const (
	day          = 24 * time.Hour
	certificates = 24 // in the world
)

// world is a store and a log full of what a year with three CAs brings. Every text in it goes through s, so that a test can make it hostile.
func world(s func(string) string) (*fakeStore, *fakeLog) {
	w := &worldMaker{s: s, store: &fakeStore{changes: make(chan projections.Change)}, log: &fakeLog{}}
	w.makeOrders()
	w.makeCertificates()
	w.makeRest()
	w.makeSecurity()
	w.store.status = []projections.Status{{Name: "orders", Seq: uint64(len(w.log.records)), State: "live"}}
	return w.store, w.log
}

func plain(s string) string { return s }

type worldMaker struct {
	s     func(string) string
	store *fakeStore
	log   *fakeLog
}

// timeline puts events into the log and gives their entries.
func (w *worldMaker) timeline(provider string, d schema.Data, kinds map[time.Duration]schema.Kind, ages ...time.Duration) []projections.TimelineEntry {
	var entries []projections.TimelineEntry
	for _, age := range ages {
		k := kinds[age]
		d.Provider, d.Event, d.Decoder = provider, w.s(strings.ReplaceAll(k.Name(), "_", "-")), provider+"/1"
		d.Reason = w.s("reason")
		d.Original = original(`{"event":"` + strings.ReplaceAll(w.s("e"), `"`, `\"`) + `","data":{"order_id":12345,"certificate_id":23456}}`)
		seq := w.log.add(schema.New(fmt.Sprintf("0193-%d", len(w.log.records)), "/hooks/"+provider, ago(age), k, d))
		entries = append(entries, projections.TimelineEntry{Seq: seq, Time: ago(age), Type: k.Type(), Facts: lifecycle.Facts{Event: d.Event, Domain: d.Domain, Certificate: d.CertificateID, Check: schema.CheckPhone, State: schema.CheckFailed, Reason: w.s("The provider said so.")},
			Changes: []projections.Changed{{Field: "state", Before: w.s("pending"), After: w.s("issued")}, {Field: "names_added", After: w.s("a.example")}}})
	}
	return entries
}

func (w *worldMaker) order(provider, id, state, cn string, names []string, checks map[string]schema.CheckState, reasons map[string]string, next string, ages ...time.Duration) {
	kinds := map[time.Duration]schema.Kind{}
	for i, age := range ages {
		kinds[age] = []schema.Kind{schema.OrderUpdated, schema.OrderCheckFailed, schema.DomainValidated, schema.OrderIssued}[i%4]
	}
	for i := range names {
		names[i] = w.s(names[i])
	}
	o := projections.Order{Provider: provider, ID: w.s(id), State: state, CommonName: w.s(cn), DNSNames: names, Checks: checks, Reasons: reasons, NextStep: next,
		Row: projections.Row{FirstEventAt: ago(ages[0]), LastEventAt: ago(ages[len(ages)-1]), EventCount: len(ages)}}
	o.Timeline = w.timeline(provider, schema.Data{OrderID: o.ID, Domain: "shop.example.com"}, kinds, ages...)
	o.LastEventSeq = o.Timeline[len(o.Timeline)-1].Seq
	w.store.orders = append(w.store.orders, o)
}

func (w *worldMaker) makeOrders() {
	type checks = map[string]schema.CheckState
	w.order("xolphin", "960770001", "action_required", "www.bar.example", []string{"www.bar.example", "bar.example", "xn--bcher-kva.example"},
		checks{"csr": "passed", "organization": "failed", "phone": "delayed", "domain:www.bar.example": "passed", w.s("domain:bar.example"): "pending", "domain:xn--bcher-kva.example": "passed"},
		map[string]string{"organization": w.s("Bar Trading B.V. is not listed at the given address")}, "answer-ca", 52*time.Hour, 51*time.Hour, 50*time.Hour, 4*time.Minute)
	w.order("digicert", "771001", "pending", "shop.example.com", []string{"shop.example.com", "*.shop.example.com"},
		checks{"approval": "pending"}, nil, "approve", 3*time.Hour, 20*time.Minute)
	w.order("sectigo", "2233001", "action_required", "zone.example.net", nil, checks{"issuance": "failed"},
		map[string]string{"issuance": w.s("CAA record does not authorise this CA")}, "answer-ca", 8*time.Hour, 35*time.Minute)
	for i := range 30 {
		state := []string{"issued", "issued", "issued", "pending", "issued", "reissue_ready", "issued", "revoked", "issued", "rejected", "canceled"}[i%11]
		next := map[string]string{"issued": "install", "pending": "wait-for-ca", "reissue_ready": "reissue", "revoked": "replace", "rejected": "order-again"}[state]
		provider := []string{"digicert", "xolphin", "sectigo"}[i%3]
		cn, age := fmt.Sprintf("app%02d.example.org", i), time.Duration(i+1)*31*time.Hour
		w.order(provider, fmt.Sprint(771002+i), state, cn, []string{cn, "www." + cn}[:1+i%2], nil, nil, next, age+day, age)
		if i < certificates && (state == "issued" || state == "revoked") {
			w.store.orders[len(w.store.orders)-1].CertificateID = w.s(fmt.Sprint(881001 + i))
		}
	}
	w.order("digicert", "771900", "issued", "", nil, nil, nil, "install", 90*day)
}

func (w *worldMaker) makeCertificates() {
	states := []string{"active", "active", "expiring", "active", "expired", "active", "revoked", "replaced", "issued"}
	for i := range certificates {
		state := states[i%len(states)]
		c := projections.Certificate{Provider: []string{"digicert", "xolphin", "sectigo"}[i%3], ID: w.s(fmt.Sprint(881001 + i)), OrderID: w.s(fmt.Sprint(771002 + i)),
			State: state, CommonName: w.s(fmt.Sprintf("app%02d.example.org", i)), DNSNames: []string{w.s(fmt.Sprintf("app%02d.example.org", i)), w.s("www.example.org")},
			Row: projections.Row{FirstEventAt: ago(time.Duration(i+30) * day), LastEventAt: ago(time.Duration(i) * 7 * time.Hour), EventCount: 2}, KeyAlgorithm: w.s("ECDSA-P-256")}
		if state != "issued" {
			left := 200 - i*9
			c.SerialNumber, c.Issuer = w.s("0a1b2c3d4e5f60718293a4b5c6d7e8f9"), w.s("Example TLS ECC CA 2026")
			c.NotBefore, c.NotAfter, c.DaysLeft = pago(time.Duration(200-left)*day), pago(-time.Duration(left)*day), &left
			c.FingerprintSHA256 = w.s(strings.Repeat("9f86d081", 8))
		}
		c.RevocationNotice = i == 1
		if c.RevocationNotice {
			c.RevokesAt = pago(-22 * time.Hour)
		}
		if state == "revoked" {
			c.Reason = w.s("keyCompromise")
		}
		issued := w.store.orders[3+i].Timeline // its last event made the certificate known
		c.Timeline = append(issued[len(issued)-1:len(issued):len(issued)], w.timeline(c.Provider, schema.Data{CertificateID: c.ID, OrderID: c.OrderID},
			map[time.Duration]schema.Kind{8 * day: schema.CertificateCollected}, 8*day)...)
		c.LastEventSeq = c.Timeline[1].Seq
		w.store.certificates = append(w.store.certificates, c)
	}
	w.store.certificates[3].Unreadable = w.s("certificate: x509: malformed certificate")
}

func (w *worldMaker) makeRest() {
	for i, state := range []string{"validated", "revalidation_due", "expired", "failed", "validated"} {
		name := []string{"shop.example.com", "*.shop.example.com", "bar.example", "www.bar.example", "xn--bcher-kva.example"}[i]
		d := projections.Domain{Provider: []string{"digicert", "xolphin"}[i%2], Name: w.s(name), State: state, ValidatedAt: pago(time.Duration(i*40) * day),
			ExpiresAt: pago(time.Duration(i*40-190) * day), Row: projections.Row{LastEventAt: ago(time.Duration(i*i) * day), FirstEventAt: ago(300 * day), EventCount: 3}}
		if state == "failed" {
			d.Reason = w.s("no TXT record was found")
		}
		d.Timeline = w.timeline(d.Provider, schema.Data{Domain: name}, map[time.Duration]schema.Kind{day: schema.DomainValidated}, day)
		w.store.domains = append(w.store.domains, d)
	}
	w.store.domains = append(w.store.domains, projections.Domain{Provider: "digicert", Name: "reason.example", State: "failed", Reason: w.s("no TXT record"),
		Row: projections.Row{Unreadable: w.s("expires_at"), LastEventAt: ago(day), FirstEventAt: ago(day), EventCount: 1}})
	ds := &schema.DS{KeyTag: 38696, Algorithm: 13, DigestType: 2, Digest: w.s("683D7A16F2E1D0C9B8A7968574635241302F1E0D9C8B7A6F5E4D3C2B1A0F9E8D")}
	old := &schema.DS{KeyTag: 11042, Algorithm: 13, DigestType: 2, Digest: w.s("49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD")}
	for i, state := range []string{"rotation_started", "rotation_overdue", "rotation_completed"} {
		r := projections.DNSSEC{Provider: "sectigo", WebsiteID: w.s(fmt.Sprint(42 + i)), Domain: w.s([]string{"zone.example.com", "old.example.net", "xn--bcher-kva.example"}[i]),
			State: state, NextStep: []string{"ds-submit", "ds-submit", "ds-retract"}[i], DS: ds, StartedAt: pago(time.Duration(6+i*300) * time.Hour),
			Row: projections.Row{FirstEventAt: ago(30 * day), LastEventAt: ago(time.Duration(6+i) * time.Hour), LastEventSeq: 1, EventCount: 1}}
		if i != 1 {
			r.PreviousDS = old
		}
		r.Timeline = w.timeline("sectigo", schema.Data{WebsiteID: r.WebsiteID, Domain: "zone.example.com", DS: ds},
			map[time.Duration]schema.Kind{6 * time.Hour: schema.DNSSECRotationStarted}, 6*time.Hour)
		w.store.dnssecs = append(w.store.dnssecs, r)
	}
	w.store.organizations = []projections.Organization{
		{Provider: "digicert", ID: w.s("5001"), Name: w.s("Example Trading B.V."), State: "validated", ValidationType: w.s("OV"), ExpiresAt: pago(-300 * day), Row: projections.Row{LastEventAt: ago(65 * day), FirstEventAt: ago(65 * day), LastEventSeq: 1, EventCount: 1}},
		{Provider: "digicert", ID: w.s("5002"), Name: w.s("Bücher & Söhne GmbH"), State: "revalidation_due", ValidationType: w.s("EV"), ExpiresAt: pago(-29 * day), Row: projections.Row{LastEventAt: ago(day), FirstEventAt: ago(400 * day), LastEventSeq: 1, EventCount: 3, Timeline: w.timeline("digicert", schema.Data{OrganizationID: w.s("5002")}, map[time.Duration]schema.Kind{day: schema.OrganizationRevalidationDue}, day)}}}
	w.store.websites = []projections.Website{
		{Provider: "sectigo", Kind: "website", ID: w.s("42"), State: w.s("malware_issue_found"), Row: projections.Row{LastEventAt: ago(2 * day), FirstEventAt: ago(9 * day), LastEventSeq: 1, EventCount: 4, Timeline: w.timeline("sectigo", schema.Data{TargetID: w.s("42")}, map[time.Duration]schema.Kind{2 * day: "website.malware_issue_found"}, 2*day)}},
		{Provider: "sectigo", Kind: "database", ID: w.s("77"), State: w.s("backup_restore_state_changed"), Row: projections.Row{LastEventAt: ago(5 * day), FirstEventAt: ago(9 * day), LastEventSeq: 1, EventCount: 1}}}
	w.store.quarantine = []projections.Quarantined{
		{Seq: 2, Time: ago(26 * time.Hour), Provider: "digicert", Reason: w.s("the event certificate_exploded is documented nowhere"), Original: original(`{"event":"certificate_exploded","data":{"order_id":1}}`)},
		{Seq: 1, Time: ago(80 * time.Hour), Provider: "sectigo", Reason: w.s("the body is not JSON"), Original: &schema.Original{Method: "POST", Query: w.s("a=b"), Headers: map[string]string{"content-type": w.s("text/plain")}, BodyBase64: "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="}}}
	w.store.matters = []projections.Matter{
		{ID: "a1", State: "open", Provider: "xolphin", Row: w.s("881002"), When: ago(2 * time.Hour), AsOf: ago(0).Time, Due: pago(-22 * time.Hour), Severity: "critical", Kind: schema.MatterRevocationAnnounced,
			About: w.s("app01.example.org"), Number: w.s("881002"), Since: ago(2 * time.Hour), Facts: projections.MatterFacts{Reasons: []string{w.s("keyCompromise")}}},
		{ID: "a2", State: "open", Provider: "xolphin", Row: w.s("960770001"), Part: w.s("organization"), When: ago(52 * time.Hour), AsOf: ago(0).Time, Severity: "warning", Kind: schema.MatterCheckFailed,
			About: w.s("www.bar.example"), Number: w.s("960770001"), Since: ago(52 * time.Hour), Facts: projections.MatterFacts{Check: schema.CheckFailed, Reasons: []string{w.s("not in the register")}}},
		{ID: "a3", State: "open", Provider: "sectigo", Row: w.s("42"), When: ago(6 * time.Hour), AsOf: ago(0).Time, Copy: w.s("zone.example.com. IN DS 38696 13 2 683D7A16"), Severity: "notice", Kind: schema.MatterDSPublish,
			About: w.s("zone.example.com"), Since: ago(6 * time.Hour)}}
}

func providers(on bool) func() []web.Provider {
	return func() []web.Provider {
		return []web.Provider{
			{Name: "digicert", Title: "DigiCert CertCentral", On: on, Endpoints: []string{"https://hooks.example.com/hooks/digicert"},
				Howto: "CertCentral, Settings, Webhooks: endpoint URL and secret key.", HowtoEnable: []string{"digicert-webhook-key"},
				SendExample: "certtrail send digicert certificate_issued", LastAt: ago(4 * time.Minute), Accepted: 12403, Refused: 3},
			{Name: "sectigo", Title: "Sectigo", On: on, Endpoints: []string{"https://hooks.example.com/hooks/sectigo", "https://hooks.example.com/hooks/sectigo-push"},
				Howto: "Ask the account manager to enter both URLs with user name and password.", HowtoEnable: []string{"sectigo-username", "sectigo-password"},
				SendExample: "certtrail send sectigo website_dnssec_rotation_start", LastAt: ago(35 * time.Minute), Accepted: 214, Quarantined: 1, Lost: 2},
			{Name: "xolphin", Title: "Xolphin", Endpoints: []string{"https://hooks.example.com/hooks/xolphin/{token}"},
				Howto: "Ask Xolphin's support to register the URL.", HowtoEnable: []string{"xolphin-token"}, SendExample: "certtrail send xolphin Issued"},
		}
	}
}
