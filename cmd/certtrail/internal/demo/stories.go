package demo

import (
	"fmt"
	"math/rand/v2"
	"time"
)

const Day = 24 * time.Hour

// valid describes a certificate of the names that was issued some days ago and ends some days from now.
func valid(ago, left int, names ...string) *validity {
	return &validity{-time.Duration(ago) * Day, time.Duration(left) * Day, names}
}

func with(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// OpeningStories leave at least one row in every state that a person should meet.
func OpeningStories(now time.Time) []story {
	stories := append(digicertStories(now), xolphinStories()...)
	stories = append(stories, sectigoStories(now)...)
	return append(stories, securityStories(now)...)
}

func digicertStories(now time.Time) []story {
	until := func(days int) string { return now.AddDate(0, 0, days).Format(time.DateOnly) }
	order := func(id, certificate string) map[string]string {
		return with("order_id", id, "certificate_id", certificate)
	}
	return []story{
		{{"digicert", "test_webhook_endpoint", nil, nil}},
		{
			{"digicert", "organization_validated", with("organization_id", "551001", "organization_name", "Example Hosting B.V."), nil},
			{"digicert", "domain_validated", with("domain_id", "661001", "domain_name", "shop.example.com", "validated_until", until(192)), nil},
			{"digicert", "certificate_issued", order("771001", "881001"), valid(22, 178, "shop.example.com", "www.shop.example.com", "pay.shop.example.com")},
		},
		{{"digicert", "certificate_issued", order("771002", "881002"), valid(188, 12, "intranet.example.com")}},
		{{"digicert", "order_approval_email_sent", with("order_id", "771003", "certificate_id", ""), nil}},
		{
			{"digicert", "certificate_issued", order("771004", "881004"), valid(40, 160, "old.example.com")},
			{"digicert", "certificate_revoked", order("771004", "881004"), nil},
		},
		{{"digicert", "order_rejected", order("771005", ""), nil}},
		{{"digicert", "domain_revalidation_notice", with("domain_name", "news.example.com", "domain_id", "661002", "validated_until", until(28)), nil}},
		{{"digicert", "domain_expired", with("domain_name", "legacy.example.com", "domain_id", "661003", "validated_until", until(-3)), nil}},
	}
}

func xolphinStories() []story {
	request := func(id string, more ...string) map[string]string {
		return with(append([]string{"request_id", id}, more...)...)
	}
	return []story{
		{
			{"xolphin", "Updated-DCV", request("960770001", "domain", "www.bar.example"), nil},
			{"xolphin", "Updated-Organization", request("960770001"), nil},
		},
		{
			{"xolphin", "Updated-DCV", request("960770002", "domain", "xn--bcher-kva.example"), nil},
			{"xolphin", "Updated-PhonecallDelayed", request("960770002"), nil},
		},
		{{"xolphin", "Updated-Message", request("960770003"), nil}},
		{
			{"xolphin", "Updated-DCV", request("960770004", "domain", "mail.foo.example"), nil},
			{"xolphin", "Issued", request("960770004"), nil},
		},
		{{"xolphin", "Issued", request("960770005"), nil}, {"xolphin", "Updated-ReadyForReissue", request("960770005"), nil}},
		{{"xolphin", "Deleted", request("960770006"), nil}},
	}
}

func sectigoStories(now time.Time) []story {
	order := func(id, certificate string) map[string]string {
		return with("order_id", id, "certificate_id", certificate)
	}
	const oldDigest, newDigest = "683D9A5E7C0B4F21D8E6A3B5C7091F2E4D6B8A0C1E3F5072949BADC0DE12F345", "49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD"
	rotation := func(website, domain, tag, digest string) map[string]string {
		return with("website_id", website, "domain", domain, "key_tag", tag, "digest", digest)
	}
	return []story{
		{
			{"sectigo", "push-click-through", order("330770001", "440880001"), nil},
			{"sectigo", "push-verified", order("330770001", "440880001"), nil},
		},
		{{"sectigo", "push-issued", order("330770002", "440880002"), valid(3, 197, "api.example.org", "*.api.example.org")}},
		{
			{"sectigo", "push-issued", order("330770003", "440880003"), valid(90, 110, "portal.example.org")},
			{"sectigo", "push-PreRevocationNotification", with("order_id", "330770003", "certificate_id", "440880003", "revocation_date", now.Add(22*time.Hour).UTC().Format(time.RFC3339)), nil},
		},
		{{"sectigo", "push-awaitingbrandvalidation", order("330770004", "440880004"), nil}},
		{{"sectigo", "push-failed", order("330770005", "440880005"), nil}},
		{
			{"sectigo", "website_dnssec_rotation_start", rotation("42", "zone.example.com", "20326", oldDigest), nil},
			{"sectigo", "website_dnssec_rotation_complete", rotation("42", "zone.example.com", "20326", oldDigest), nil},
			{"sectigo", "website_dnssec_rotation_start", rotation("42", "zone.example.com", "38696", newDigest), nil},
		},
		{{"sectigo", "website_dnssec_rotation_complete", rotation("43", "shop.example.com", "11019", oldDigest), nil}},
		{{"sectigo", "website_malware_issue_found", with("website_id", "43"), nil}},
		{{"sectigo", "user_create", nil, nil}},
	}
}

// securityStories returns those of who has access, and of what a scanner finds.
func securityStories(now time.Time) []story {
	at := now.UTC().Format(time.RFC3339)
	person := func(name, first, last string, more ...string) map[string]string {
		return with(append([]string{"username", name, "first_name", first, "last_name", last, "email", name + "@example.com"}, more...)...)
	}
	shop := func(more ...string) map[string]string {
		return with(append([]string{"target_id", "3NnoNEvCLtsc", "name", "Shop", "host", "shop.example.com", "occurred_at", at}, more...)...)
	}
	news := with("target_id", "46aGYvJUPCtW", "name", "News", "host", "news.example.com", "occurred_at", at)
	return []story{
		{
			{"defguard", "user_created", person("ada", "Ada", "Sample", "id", "11"), nil},
			{"defguard", "user_keys", with("username", "ada", "email", "ada@example.com"), nil},
			{"defguard", "user_keys", with("username", "ada", "email", "ada@example.com", "serial", "87654321"), nil},
		},
		{
			{"defguard", "user_created", person("ben", "Ben", "Sample", "id", "12"), nil},
			{"defguard", "user_modified", person("ben", "Ben", "Sample", "id", "12", "active", "false"), nil},
		},
		{
			{"defguard", "user_created", person("cleo", "Cleo", "Sample", "id", "13"), nil},
			{"defguard", "user_deleted", with("username", "cleo"), nil},
		},
		{{"probely", "user_created", with("user_id", "2aDq6BEzAK5u", "email", "dan@example.com", "name", "Dan Sample", "occurred_at", at), nil}},
		{
			{"probely", "target_created", shop(), nil},
			{"probely", "target_verified", shop(), nil},
			{"probely", "scan_started", shop("scan_id", "3epwuyBoKQKN"), nil},
			{"probely", "finding_detected", with("target_id", "3NnoNEvCLtsc", "host", "shop.example.com", "finding_id", "1", "name", "Weak cipher suites in TLS", "occurred_at", at), nil},
			{"probely", "finding_detected", with("target_id", "3NnoNEvCLtsc", "host", "shop.example.com", "finding_id", "2", "name", "HSTS header not set", "severity", "10", "occurred_at", at), nil},
			{"probely", "finding_detected", with("target_id", "3NnoNEvCLtsc", "host", "shop.example.com", "finding_id", "3", "name", "Reflected cross-site scripting", "severity", "30", "occurred_at", at), nil},
			{"probely", "scan_completed", shop("scan_id", "3epwuyBoKQKN", "lows", "1", "mediums", "1", "highs", "1"), nil},
			{"probely", "finding_fixed", with("target_id", "3NnoNEvCLtsc", "host", "shop.example.com", "finding_id", "2", "name", "HSTS header not set", "severity", "10", "occurred_at", at), nil},
		},
		{{"probely", "target_created", news, nil}, {"probely", "target_verification_failed", news, nil}},
	}
}

var storyNames = []string{"atlas", "birch", "cobalt", "delta", "ember", "fjord", "garnet", "harbor", "indigo", "juniper", "krypton", "lumen", "maple", "nimbus", "onyx", "pepper"}

// newStory makes an order that goes the way most do, with one of the usual delays.
func (p *player) newStory() story {
	n := p.next
	p.next++
	name := fmt.Sprintf("%s-%d.example", storyNames[n%len(storyNames)], n)
	certificate := valid(0, 199, name, "www."+name)
	switch n % 3 {
	case 0:
		id, cert := fmt.Sprint(772000+n), fmt.Sprint(882000+n)
		return story{
			{"digicert", "order_approval_email_sent", with("order_id", id, "certificate_id", ""), nil},
			{"digicert", "domain_validated", with("domain_name", name, "domain_id", fmt.Sprint(662000+n), "validated_until", p.Now.AddDate(0, 0, 199).Format(time.DateOnly)), nil},
			{"digicert", "order_approval_completed", with("order_id", id, "certificate_id", ""), nil},
			{"digicert", "certificate_issued", with("order_id", id, "certificate_id", cert), certificate},
		}
	case 1:
		id := fmt.Sprint(960780000 + n)
		hitch := []string{"Updated-Phone", "Updated-PhonecallDelayed", "Updated-CSR", "Updated-Whois", "Updated-Message"}[rand.IntN(5)]
		return story{
			{"xolphin", "Updated-DCV", with("request_id", id, "domain", name), nil},
			{"xolphin", hitch, with("request_id", id), nil},
			{"xolphin", "Updated-DCV", with("request_id", id, "domain", "www."+name), nil},
			{"xolphin", "Issued", with("request_id", id), nil},
		}
	}
	id, cert := fmt.Sprint(330780000+n), fmt.Sprint(440890000+n)
	order := with("order_id", id, "certificate_id", cert)
	return story{
		{"sectigo", "push-click-through", order, nil},
		{"sectigo", "push-verified", order, nil},
		{"sectigo", "push-issued", order, certificate},
	}
}
