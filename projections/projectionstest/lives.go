package projectionstest

import (
	"fmt"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// life makes the life of a new row, most often of an order.
func (h *historian) life() life {
	switch n := h.IntN(100); {
	case n < 60:
		return h.order()
	case n < 72:
		return h.validations(schema.DomainValidated, schema.DomainRevalidationDue, schema.DomainExpired, schema.DomainValidationFailed)
	case n < 78:
		return h.validations(schema.OrganizationValidated, schema.OrganizationRevalidationDue, schema.OrganizationExpired)
	case n < 86:
		return h.rotations()
	case n < 91:
		return h.website()
	case n < 94:
		return h.user()
	case n < 97:
		return h.target()
	}
	return h.account()
}

// order makes about ten events: checks that fail, wait and pass, the certificate, and what becomes of it.
func (h *historian) order() life {
	provider := pick(h, "digicert", "digicert", "digicert-eu", "xolphin", "sectigo")
	about := schema.Data{Provider: provider, Decoder: decoderOf(provider), OrderID: h.id()}
	feed := ""
	if provider == "sectigo" {
		feed = "-push"
	}
	var l life
	say := func(kind schema.Kind, event string, change func(*schema.Data)) {
		d := about
		d.Event = event
		if change != nil {
			change(&d)
		}
		l = append(l, delivery{kind, d, feed})
	}
	checked := func(name string, state schema.CheckState, reason string) func(*schema.Data) {
		return func(d *schema.Data) { d.Check, d.CheckState, d.Reason = name, state, reason }
	}
	names := []string{h.domain(), h.domain()}
	for cycle := range 1 + h.IntN(3) {
		if cycle > 0 {
			say(schema.OrderReissueReady, "Updated/ReadyForReissue", nil)
		}
		if h.maybe(5) {
			say(schema.OrderDescribed, "described", nil)
		}
		if h.maybe(60) {
			say(schema.OrderApprovalRequested, "order_approval_email_sent", checked(schema.CheckApproval, schema.CheckPending, ""))
		}
		for range h.IntN(3) {
			name := pick(h, schema.CheckCSR, schema.CheckOrganization, schema.CheckPhone, schema.CheckWhois, schema.CheckBrand, schema.CheckIssuance)
			say(schema.OrderCheckFailed, "Updated/Phone", checked(name, schema.CheckFailed, pick(h, "", "nobody answered", "CAA does not authorise the CA")))
			if h.maybe(50) {
				say(schema.OrderUpdated, "CallBack", checked(name, schema.CheckPassed, ""))
			}
		}
		if h.maybe(30) {
			say(schema.OrderCheckDelayed, "Updated/PhonecallDelayed", checked(schema.CheckPhone, schema.CheckDelayed, ""))
		}
		for _, name := range names {
			say(schema.DomainValidated, "Updated/DCV", func(d *schema.Data) {
				d.Domain, d.ExpiresAt = name, h.later(198)
				d.Check, d.CheckState = schema.DomainCheck(name), schema.CheckPassed
			})
		}
		if h.maybe(25) {
			say(schema.OrderMessageReceived, "Updated/Message", nil)
		}
		if h.maybe(40) {
			say(schema.OrderUpdated, "Updated/Invoice", nil)
		}
		if h.maybe(4) {
			say(pick(h, schema.OrderRejected, schema.OrderCanceled), "Deleted", func(d *schema.Data) { d.Reason = "the organization could not be verified" })
			return l
		}
		h.certificate(say, provider, names)
	}
	return l
}

// certificate issues one, which is perhaps collected, announced to be revoked, revoked or replaced.
func (h *historian) certificate(say func(schema.Kind, string, func(*schema.Data)), provider string, names []string) {
	id := h.id()
	if provider == "xolphin" {
		id = "" // it gives none
	}
	certificate := &schema.Certificate{
		SerialNumber: fmt.Sprintf("%032x", h.Uint64()), CommonName: strings.TrimPrefix(names[0], "*."), DNSNames: names, Issuer: "Example CA", NotBefore: h.later(0), NotAfter: h.later(199),
		KeyAlgorithm: "ECDSA-P-256", FingerprintSHA256: fmt.Sprintf("%064x", h.Uint64()),
	}
	if h.maybe(30) {
		certificate.PEM = pem
	}
	with := func(d *schema.Data) { d.CertificateID, d.Certificate = id, certificate }
	switch n := h.IntN(100); {
	case n < 60:
		say(schema.OrderIssued, "certificate_issued", with)
	case n < 65:
		say(schema.OrderIssued, "certificate_issued", func(d *schema.Data) {
			d.CertificateID = id
			d.Unreadable = []schema.Unreadable{{Part: "certificate", Reason: "the certificate_chain is not a list of certificates"}}
		})
	default:
		say(schema.OrderIssued, "certificate_issued", func(d *schema.Data) { d.CertificateID = id })
		say(schema.CertificateCollected, "collected", with)
	}
	switch n := h.IntN(100); {
	case n < 6:
		say(schema.CertificateRevocationAnnounced, "PreRevocationNotification", func(d *schema.Data) { d.CertificateID, d.RevokesAt, d.Reason = id, h.later(1), "keyCompromise" })
		say(schema.CertificateRevoked, "certificate_revoked", func(d *schema.Data) { d.CertificateID, d.Reason = id, "keyCompromise" })
	case n < 12:
		say(schema.CertificateRevoked, "certificate_revoked", func(d *schema.Data) { d.CertificateID = id })
	case n < 18:
		say(schema.CertificateReplaced, "Certificate/replaced", func(d *schema.Data) { d.CertificateID = id })
	}
}

// pem has the size of a certificate and is none: folds do not look into it.
var pem = "-----BEGIN CERTIFICATE-----\n" + strings.Repeat("TWlJQ2VydGlmaWNhdGVUaGF0SXNOb25lQXRBbGxCdXRMb25nRW5vdWdoSW5TaXpl\n", 14) + "-----END CERTIFICATE-----\n"

// validations makes those of one domain or organization: the first of the kinds, and then any.
func (h *historian) validations(kinds ...schema.Kind) life {
	d := schema.Data{Provider: pick(h, "digicert", "digicert-eu"), Decoder: "digicert/1", OrganizationID: h.id(), OrganizationName: "Example Corp.", ValidationType: pick(h, "ov", "ev", "dv")}
	if kinds[0].Aggregate() == schema.AggregateDomain {
		d.Domain, d.DomainID = h.domain(), h.id()
	}
	var l life
	for range 2 + h.IntN(4) {
		kind := kinds[0]
		if len(l) > 0 {
			kind = pick(h, kinds...)
		}
		d.Event, d.ExpiresAt, d.Unreadable = strings.ReplaceAll(string(kind), ".", "_"), nil, nil
		switch h.IntN(10) {
		case 0:
			d.Unreadable = []schema.Unreadable{{Part: "expires_at", Reason: `"soon" is not a time`}}
		case 1, 2, 3, 4, 5:
			d.ExpiresAt = h.later(h.IntN(400) - 100)
		}
		l = append(l, delivery{kind: kind, data: d})
	}
	return l
}

// rotations makes those of one zone's keys.
func (h *historian) rotations() life {
	id := h.id()
	about := schema.Data{Provider: "sectigo", Decoder: "sectigo/1", WebsiteID: id, TargetID: id, TargetType: "Website", Domain: pick(h, "", h.domain())}
	var l life
	for range 1 + h.IntN(3) {
		d := about
		d.DS = &schema.DS{KeyTag: uint16(h.Uint32()), Algorithm: 13, DigestType: 2, Digest: fmt.Sprintf("%064X", h.Uint64())}
		if h.maybe(10) {
			d.DS, d.Unreadable = nil, []schema.Unreadable{{Part: "ds", Reason: "the DS record's digest is not hex"}}
		}
		for _, kind := range []schema.Kind{schema.DNSSECRotationStarted, schema.DNSSECDSSeen, schema.DNSSECRotationCompleted, schema.DNSSECDSGone} {
			if seen := kind == schema.DNSSECDSSeen || kind == schema.DNSSECDSGone; seen && h.maybe(60) || h.maybe(5) {
				continue
			}
			d.Event = string(kind)
			l = append(l, delivery{kind: kind, data: d})
		}
	}
	return append(l, delivery{kind: schema.DNSSECRotationStarted, data: about})
}

// website makes reports about one website or database.
func (h *historian) website() life {
	d := schema.Data{Provider: "sectigo", Decoder: "sectigo/1", TargetID: h.id(), TargetType: "Website"}
	events := []string{"accelerate_enabled", "backup_change_alert", "clean_enabled", "firewall_enabled", "malware_issue_found", "malware_issue_fixed", "monitor_enabled", "restore_state_changed", "zip_download_available"}
	prefix := "website"
	if h.maybe(25) {
		d.TargetType, prefix, events = "Database", "database", []string{"backup_restore_state_changed", "backup_zip_download_available"}
	}
	var l life
	for range 1 + h.IntN(8) {
		event := pick(h, events...)
		d.Event = prefix + "_" + event
		l = append(l, delivery{kind: schema.Kind(prefix + "." + event), data: d})
	}
	return l
}

// account makes reports about a webhook or a user.
func (h *historian) account() life {
	if h.maybe(40) {
		d := schema.Data{Provider: pick(h, "digicert", "digicert-eu"), Decoder: "digicert/1", Event: "challenge_webhook_endpoint", WebhookID: h.id()}
		test := schema.Data{Provider: d.Provider, Decoder: d.Decoder, Event: "test_webhook_endpoint"}
		return life{{kind: schema.AccountChallengeReceived, data: d}, {kind: schema.AccountTestReceived, data: test}}
	}
	d := schema.Data{Provider: "sectigo", Decoder: "sectigo/1", TargetID: h.id(), TargetType: "User"}
	var l life
	for _, event := range []string{"user_create", "user_login_link", "user_reset_password"} {
		d.Event = event
		l = append(l, delivery{kind: schema.Kind("account." + event), data: d})
	}
	return l
}

// user makes the life of a person's account and of their keys. What tells of the person is sealed, under a key that
// nobody has.
func (h *historian) user() life {
	d := schema.Data{Provider: pick(h, "defguard", "defguard", "probely"), UserID: h.hash()}
	d.Decoder = decoderOf(d.Provider)
	var l life
	say := func(kind schema.Kind, u schema.User) {
		u.Sealed = "sealed:v1:" + d.UserID + ":" + h.hash()
		d.Event, d.User = strings.ReplaceAll(string(kind), ".", "_"), &u
		l = append(l, delivery{kind: kind, data: d})
	}
	active, disabled := true, false
	say(schema.UserCreated, schema.User{Active: &active})
	for range h.IntN(4) {
		if h.maybe(50) {
			say(schema.UserKeysProvisioned, schema.User{Keys: []schema.UserKey{{Kind: schema.KeyPGP, ID: h.hash()}, {Kind: schema.KeySSH, ID: pick(h, h.hash(), d.UserID)}, {Kind: schema.KeyHardware, ID: h.hash()}}})
		} else {
			say(schema.UserModified, schema.User{Active: pick(h, nil, &active, &disabled)})
		}
	}
	if h.maybe(40) {
		say(schema.UserDeleted, schema.User{})
	}
	return l
}

// hash makes a hash such as people and keys have.
func (h *historian) hash() string { return fmt.Sprintf("%016x%016x", h.Uint64(), h.Uint64()) }

// target makes a target with its scans and their findings.
func (h *historian) target() life {
	d := schema.Data{Provider: "probely", Decoder: decoderOf("probely"), TargetID: h.id()}
	host := strings.TrimPrefix(h.domain(), "*.")
	about := &schema.Target{Name: "target of " + host, Host: host, URL: "https://" + host + "/"}
	var l life
	say := func(kind schema.Kind, change func(*schema.Data)) {
		d := d
		d.Event, d.OccurredAt = strings.ReplaceAll(string(kind), ".", "_"), h.later(0)
		change(&d)
		l = append(l, delivery{kind: kind, data: d})
	}
	say(schema.TargetCreated, func(d *schema.Data) { d.Target = about })
	if h.maybe(30) {
		say(schema.TargetVerificationFailed, func(d *schema.Data) { d.Target, d.Reason = about, "the file was not found" })
	}
	say(schema.TargetVerified, func(d *schema.Data) { d.Target = about })
	for range h.IntN(4) {
		id, highs := h.id(), h.IntN(3)
		scan := func(d *schema.Data) {
			d.ScanID, d.Target, d.Scan = id, about, &schema.Scan{Status: d.Event, Highs: &highs, StartedAt: h.later(0)}
		}
		say(schema.ScanStarted, scan)
		for n := range h.IntN(4) {
			finding := func(d *schema.Data) {
				d.FindingID = schema.FindingID(d.TargetID, fmt.Sprint(n))
				d.Finding = &schema.Finding{Name: pick(h, "Weak cipher suites in TLS", "SQL injection", ""), URL: about.URL, Host: pick(h, host, ""), Severity: 10 * (1 + h.IntN(3)), State: "notfixed"}
			}
			say(schema.FindingDetected, finding)
			if h.maybe(40) {
				say(schema.FindingFixed, finding)
			}
		}
		say(pick(h, schema.ScanCompleted, schema.ScanCompleted, schema.ScanCanceled, schema.ScanFailed), scan)
	}
	if h.maybe(20) {
		say(schema.TargetDeleted, func(d *schema.Data) { d.Target = about })
	}
	return l
}

func decoderOf(provider string) string {
	kind, _, _ := strings.Cut(provider, "-")
	return kind + "/1"
}

func (h *historian) quarantined() delivery {
	provider := pick(h, "digicert", "xolphin", "sectigo")
	return delivery{kind: schema.DeliveryUnrecognized, data: schema.Data{Provider: provider, Decoder: decoderOf(provider), Event: "carrier_pigeon", Reason: "The event carrier_pigeon is documented nowhere."}}
}

// unfoldable makes a known event that does not say what it is about.
func (h *historian) unfoldable() delivery {
	kind := pick(h, schema.OrderIssued, schema.CertificateRevoked, schema.DomainValidated, schema.OrganizationExpired, schema.DNSSECRotationStarted, "website.clean_enabled", "database.backup_restore_state_changed")
	return delivery{kind: kind, data: schema.Data{Provider: pick(h, "digicert", "sectigo"), Event: "nameless", Decoder: "digicert/0"}}
}

// unknown makes an event of a kind that this program does not know: of a known aggregate, which is counted, and of
// others, which are not.
func (h *historian) unknown() delivery {
	kind := pick[schema.Kind](h, "order.teleported", "certificate.framed", "target.moved", "finding.disputed", "user.promoted", "unheard.of", "attention.framed")
	return delivery{kind: kind, data: schema.Data{Provider: pick(h, "probely", "defguard", "digicert"), Event: string(kind), Decoder: "probely/7", OrderID: h.id(), CertificateID: h.id(), TargetID: h.id(), UserID: h.hash(), FindingID: schema.FindingID("", h.id())}}
}

// identified makes an event whose id says which occurrence it is. Ids are few, so that most come again.
func (h *historian) identified() *schema.Event {
	n := h.IntN(1 + int(h.events/40))
	if h.maybe(50) {
		e := h.event(delivery{kind: "order.teleported", data: schema.Data{Provider: "probely", Event: "teleported", Decoder: "probely/1", OrderID: fmt.Sprint(n % 50)}})
		e.ID = fmt.Sprintf("probely:%d", n)
		return e
	}
	kind := pick[schema.Kind](h, "certificate.expiring", "certificate.expired", "dnssec.rotation_overdue")
	id := fmt.Sprint(100_000 + n)
	e := h.event(delivery{kind: kind, data: schema.Data{Provider: "digicert", Event: kind.Name(), Decoder: "clock/1", CertificateID: id, WebsiteID: id}})
	e.Source, e.ID, e.Data.Original = schema.ClockSource, fmt.Sprintf("%s/digicert/%s/2027-06-08T00:00:00.000Z/30", kind, id), nil
	return e
}
