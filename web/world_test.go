package web_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/people/peopletest"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/projectionstest"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// certificates sets how many certificates the world has.
const certificates = 24

// world opens the read models of a year with three CAs, and returns them with their log. Every text in it goes through
// s, so that a test can make it hostile.
func world(t testing.TB, s func(string) string) (*projections.Store, *projectionstest.Log) {
	t.Helper()
	return storeOf(t, worldStory(s))
}

// worldStory tells what happens in the world.
func worldStory(s func(string) string) *story {
	w := &story{s: s}
	w.stuckOrders()
	for i := range 30 {
		w.ordinaryOrder(i)
	}
	w.say("digicert", 90*day, schema.OrderIssued, schema.Data{OrderID: w.s("771900")})
	for i := range certificates {
		w.certificate(i)
	}
	w.validations()
	w.rotations()
	w.websites()
	w.quarantine()
	w.users()
	w.scanner()
	return w
}

// stuckOrders begins the log: the first four events are all of the first order.
func (w *story) stuckOrders() {
	bar := schema.Data{OrderID: w.s("960770001")}
	d := bar
	d.Certificate = named(w.s("www.bar.example"), w.s("www.bar.example"), w.s("bar.example"), w.s("xn--bcher-kva.example"))
	d.Checks = schema.Checks{"csr": schema.CheckPassed, "organization": schema.CheckPending, "domain:www.bar.example": schema.CheckPassed,
		w.s("domain:bar.example"): schema.CheckPending, "domain:xn--bcher-kva.example": schema.CheckPassed}
	w.say("xolphin", 52*time.Hour, schema.OrderDescribed, d)
	d = bar
	d.Check, d.CheckState, d.Reason = schema.CheckOrganization, schema.CheckFailed, w.s("Bar Trading B.V. is not listed at the given address")
	w.say("xolphin", 51*time.Hour, schema.OrderCheckFailed, d)
	d = bar
	d.Check, d.CheckState = schema.CheckPhone, schema.CheckDelayed
	w.say("xolphin", 50*time.Hour, schema.OrderCheckDelayed, d)
	w.say("xolphin", 4*time.Minute, schema.OrderUpdated, bar)

	shop := schema.Data{OrderID: w.s("771001"), Certificate: named(w.s("shop.example.com"), w.s("shop.example.com"), w.s("*.shop.example.com"))}
	w.say("digicert", 3*time.Hour, schema.OrderDescribed, shop)
	w.say("digicert", 20*time.Minute, schema.OrderApprovalRequested, schema.Data{OrderID: w.s("771001"), Check: schema.CheckApproval, CheckState: schema.CheckPending})

	w.say("sectigo", 8*time.Hour, schema.OrderDescribed, schema.Data{OrderID: w.s("2233001"), Certificate: named(w.s("zone.example.net"))})
	w.say("sectigo", 35*time.Minute, schema.OrderCheckFailed, schema.Data{OrderID: w.s("2233001"), Check: schema.CheckIssuance, CheckState: schema.CheckFailed,
		Reason: w.s("CAA record does not authorise this CA")})
}

// ordinaryOrder tells of an order that came to some end, the later the smaller i is.
func (w *story) ordinaryOrder(i int) {
	provider, about := providerOf(i), schema.Data{OrderID: w.s(fmt.Sprint(771002 + i))}
	cn, age := w.s(fmt.Sprintf("app%02d.example.org", i)), time.Duration(i+1)*31*time.Hour
	d := about
	d.Certificate = named(cn, cn, "www."+cn)
	w.say(provider, age+day, schema.OrderDescribed, d)
	issued := about
	if i < certificates {
		issued.CertificateID, issued.Certificate = w.s(fmt.Sprint(881001+i)), w.certificateOf(i)
	}
	switch i % 11 {
	case 3:
		w.say(provider, age, schema.OrderUpdated, about)
	case 5:
		w.say(provider, age+time.Hour, schema.OrderIssued, issued)
		w.say(provider, age, schema.OrderReissueReady, about)
	case 7:
		w.say(provider, age+time.Hour, schema.OrderIssued, issued)
		w.say(provider, age, schema.CertificateRevoked, about)
	case 9:
		w.say(provider, age, schema.OrderRejected, about)
	case 10:
		w.say(provider, age, schema.OrderCanceled, about)
	default:
		w.say(provider, age, schema.OrderIssued, issued)
	}
}

func providerOf(i int) string { return []string{"digicert", "xolphin", "sectigo"}[i%3] }

// certificateOf returns the certificate i as it was read; nil for those of which nothing but the number is known.
func (w *story) certificateOf(i int) *schema.Certificate {
	left := 200 - i*9
	switch i % 9 {
	case 2:
		left = 20 - i/9
	case 4:
		left = -5 - i
	case 8:
		return nil
	}
	cn := w.s(fmt.Sprintf("app%02d.example.org", i))
	return &schema.Certificate{CommonName: cn, DNSNames: []string{cn, "www." + cn},
		SerialNumber: w.s("0a1b2c3d4e5f60718293a4b5c6d7e8f9"), Issuer: w.s("Example TLS ECC CA 2026"), KeyAlgorithm: w.s("ECDSA-P-256"),
		NotBefore: pago(time.Duration(200-left) * day), NotAfter: pago(-time.Duration(left) * day), FingerprintSHA256: w.s(fmt.Sprintf("%064x", 0x9f86d081+i))}
}

// certificate tells of the certificate i all but that it was issued.
func (w *story) certificate(i int) {
	provider, about := providerOf(i), schema.Data{CertificateID: w.s(fmt.Sprint(881001 + i)), OrderID: w.s(fmt.Sprint(771002 + i))}
	collected := about
	collected.Certificate = w.certificateOf(i)
	w.say(provider, 8*day, schema.CertificateCollected, collected)
	switch {
	case i == 1:
		announced := about
		announced.RevokesAt = pago(-22 * time.Hour)
		w.say(provider, 2*time.Hour, schema.CertificateRevocationAnnounced, announced)
	case i == 3:
		broken := about
		broken.Unreadable = []schema.Unreadable{{Part: "certificate", Reason: w.s("x509: malformed certificate")}}
		w.say(provider, 7*day, schema.CertificateCollected, broken)
	case i%9 == 6:
		revoked := about
		revoked.Reason = w.s("keyCompromise")
		w.say(provider, 6*day, schema.CertificateRevoked, revoked)
	case i%9 == 7:
		w.say(provider, 6*day, schema.CertificateReplaced, about)
	}
}

func (w *story) validations() {
	for i, then := range []schema.Kind{"", schema.DomainRevalidationDue, schema.DomainExpired, schema.DomainValidationFailed, ""} {
		name := []string{"shop.example.com", "*.shop.example.com", "bar.example", "www.bar.example", "xn--bcher-kva.example"}[i]
		provider, about := []string{"digicert", "xolphin"}[i%2], schema.Data{Domain: w.s(name)}
		validated := about
		validated.ExpiresAt = pago(time.Duration(i*40-190) * day)
		w.say(provider, 300*day, schema.DomainValidated, schema.Data{Domain: w.s(name)})
		w.say(provider, time.Duration(i*40)*day+time.Hour, schema.DomainValidated, validated)
		if then == schema.DomainValidationFailed {
			about.Reason = w.s("no TXT record was found")
		}
		if then != "" {
			w.say(provider, time.Duration(i*i)*day, then, about)
		}
	}
	w.say("digicert", day, schema.DomainValidationFailed, schema.Data{Domain: w.s("reason.example"), Reason: w.s("no TXT record"),
		Unreadable: []schema.Unreadable{{Part: "expires_at", Reason: w.s("it is no time")}}})
	trading := schema.Data{OrganizationID: w.s("5001"), OrganizationName: w.s("Example Trading B.V."), ValidationType: w.s("OV"), ExpiresAt: pago(-300 * day)}
	w.say("digicert", 65*day, schema.OrganizationValidated, trading)
	sons := schema.Data{OrganizationID: w.s("5002"), OrganizationName: w.s("Bücher & Söhne GmbH"), ValidationType: w.s("EV"), ExpiresAt: pago(-29 * day)}
	w.say("digicert", 400*day, schema.OrganizationValidated, sons)
	w.say("digicert", day, schema.OrganizationRevalidationDue, schema.Data{OrganizationID: w.s("5002")})
}

func (w *story) rotations() {
	ds := &schema.DS{KeyTag: 38696, Algorithm: 13, DigestType: 2, Digest: w.s("683D7A16F2E1D0C9B8A7968574635241302F1E0D9C8B7A6F5E4D3C2B1A0F9E8D")}
	old := &schema.DS{KeyTag: 11042, Algorithm: 13, DigestType: 2, Digest: w.s("49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD")}
	zone := func(id, name string, ds *schema.DS) schema.Data {
		return schema.Data{WebsiteID: w.s(id), Domain: w.s(name), DS: ds}
	}
	w.say("sectigo", 30*day, schema.DNSSECRotationCompleted, zone("42", "zone.example.com", old))
	w.say("sectigo", 6*time.Hour, schema.DNSSECRotationStarted, zone("42", "zone.example.com", ds))
	w.say("sectigo", 306*time.Hour, schema.DNSSECRotationStarted, zone("43", "old.example.net", ds))
	w.say("sectigo", 60*day, schema.DNSSECRotationCompleted, zone("44", "xn--bcher-kva.example", old))
	w.say("sectigo", 8*time.Hour, schema.DNSSECRotationCompleted, zone("44", "xn--bcher-kva.example", ds))
}

func (w *story) websites() {
	w.say("sectigo", 9*day, "website.backup_enabled", schema.Data{TargetType: "Website", TargetID: w.s("42")})
	w.say("sectigo", 2*day, "website.malware_issue_found", schema.Data{TargetType: "Website", TargetID: w.s("42")})
	w.say("sectigo", 5*day, "database.backup_restore_state_changed", schema.Data{TargetType: "Database", TargetID: w.s("77")})
}

func (w *story) quarantine() {
	w.say("sectigo", 80*time.Hour, schema.DeliveryUnrecognized, schema.Data{Reason: w.s("the body is not JSON"),
		Original: &schema.Original{Method: "POST", Query: w.s("a=b"), Headers: map[string]string{"content-type": w.s("text/plain")}, BodyBase64: "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="}})
	w.say("digicert", 26*time.Hour, schema.DeliveryUnrecognized, schema.Data{Reason: w.s("the event certificate_exploded is documented nowhere"),
		Original: original(`{"event":"certificate_exploded","data":{"order_id":1}}`)})
}

// The users of the world, by the keyed hashes of their names.
var (
	ada  = new(peopletest.Keys).Hash("defguard", "ada")
	gone = new(peopletest.Keys).Hash("defguard", "ben")
)

const adasKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIv8MNNJYGmMdm3CxDkAAAAAAAAAAAAAAAAAAAAAAAAA ada@laptop"

func (w *story) users() {
	no, yes := false, true
	person := func(keys ...schema.PersonKey) *schema.Person {
		return &schema.Person{Username: w.s("ada"), Name: w.s("Ada Sample"), Email: w.s("ada@example.com"), Admin: &no, MFA: &yes, Groups: []string{w.s("staff")},
			Devices: []schema.Device{{Name: w.s("laptop")}}, Keys: keys}
	}
	w.sayOf("defguard", "ada", 40*time.Hour, schema.UserCreated, schema.User{Active: &yes, Person: person()})
	w.sayOf("defguard", "ada", 34*time.Hour, schema.UserKeysProvisioned, schema.User{Person: person(schema.PersonKey{Kind: schema.KeyPGP, Value: "pgp"},
		schema.PersonKey{Kind: schema.KeySSH, Value: adasKey}, schema.PersonKey{Kind: schema.KeyHardware, Value: "12345678"})})
	w.sayOf("defguard", "ada", 10*time.Hour, schema.UserKeysProvisioned, schema.User{Person: person(schema.PersonKey{Kind: schema.KeyHardware, Value: "87654321"})})
	forgotten := &schema.Person{Username: "ben", Name: "Ben Sample", Email: "ben@example.com", Groups: []string{"staff"}, Devices: []schema.Device{{Name: "phone"}},
		Keys: []schema.PersonKey{{Kind: schema.KeySSH, Value: adasKey}}}
	w.sayOf("defguard", "ben", 58*time.Hour, schema.UserKeysProvisioned, schema.User{Person: forgotten})
	w.sayOf("defguard", "ben", 57*time.Hour, schema.UserModified, schema.User{Active: &no, Person: forgotten})
}

func (w *story) scanner() {
	one, none := 1, 0
	shop := &schema.Target{Name: w.s("Shop"), Host: w.s("shop.example.com"), URL: w.s("https://shop.example.com/"), VerificationMethod: w.s("file")}
	w.say("probely", 2*day, schema.TargetCreated, schema.Data{TargetID: w.s("t1"), Target: shop})
	w.say("probely", day, schema.TargetVerified, schema.Data{TargetID: w.s("t1"), Target: shop})
	w.say("probely", 5*time.Hour, schema.TargetVerificationFailed, schema.Data{TargetID: w.s("t2"), Target: &schema.Target{Host: w.s("news.example.net")},
		Reason: w.s("no file was found")})
	w.say("probely", 6*time.Hour, schema.ScanStarted, schema.Data{ScanID: w.s("s1"), TargetID: w.s("t1"), Target: shop})
	w.say("probely", 5*time.Hour, schema.ScanCompleted, schema.Data{ScanID: w.s("s1"), TargetID: w.s("t1"), Target: shop,
		Scan: &schema.Scan{Profile: w.s("full"), StartedAt: pago(6 * time.Hour), CompletedAt: pago(5 * time.Hour), Lows: &none, Mediums: &one, Highs: &one}})
	w.say("probely", 5*time.Hour, schema.ScanFailed, schema.Data{ScanID: w.s("s2"), TargetID: w.s("unheard")})
	w.say("probely", 6*time.Hour, schema.FindingDetected, schema.Data{FindingID: w.s("t1:1"), TargetID: w.s("t1")})
	w.say("probely", 5*time.Hour, schema.FindingDetected, schema.Data{FindingID: w.s("t1:1"), TargetID: w.s("t1"), Finding: &schema.Finding{
		Name: w.s("Weak cipher suites in TLS"), Severity: 20, Host: w.s("shop.example.com"), URL: w.s("https://shop.example.com/"), Method: w.s("get"),
		Parameter: w.s("p"), State: "notfixed", CVSSScore: 5.3, CVSSVector: w.s("CVSS:3.0/AV:N"), LastFoundAt: pago(5 * time.Hour)}})
	w.say("probely", 5*time.Hour, schema.FindingDetected, schema.Data{FindingID: w.s("t1:2"), TargetID: w.s("t1"), Finding: &schema.Finding{
		Name: w.s("Reflected cross-site scripting"), Severity: 30, Host: w.s("elsewhere.example"), State: "accepted"}})
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
