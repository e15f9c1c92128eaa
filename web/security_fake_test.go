package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

func (s *fakeStore) Users(_ context.Context, q projections.Query) ([]projections.User, string, error) {
	return find(s, q, s.users, func(u *projections.User) (string, string) { return u.Provider, u.State })
}

func (s *fakeStore) UserAt(_ context.Context, provider, id string, m projections.Moment) (*projections.User, error) {
	x, err := one(s, s.users, func(u *projections.User) bool { return u.Provider == provider && u.ID == id })
	if err == nil {
		err = s.cut(m, &x.Timeline, &x.Then)
	}
	return x, err
}

func (s *fakeStore) Targets(_ context.Context, q projections.Query) ([]projections.Target, string, error) {
	return find(s, q, s.targets, func(x *projections.Target) (string, string) { return x.Provider, x.State })
}

func (s *fakeStore) TargetAt(_ context.Context, provider, id string, m projections.Moment) (*projections.Target, error) {
	x, err := one(s, s.targets, func(x *projections.Target) bool { return x.Provider == provider && x.ID == id })
	if err == nil {
		err = s.cut(m, &x.Timeline, &x.Then)
	}
	return x, err
}

func (s *fakeStore) Scans(_ context.Context, q projections.Query) ([]projections.Scan, string, error) {
	return find(s, q, s.scans, func(x *projections.Scan) (string, string) { return x.Provider, x.State })
}

func (s *fakeStore) ScanAt(_ context.Context, provider, id string, m projections.Moment) (*projections.Scan, error) {
	x, err := one(s, s.scans, func(x *projections.Scan) bool { return x.Provider == provider && x.ID == id })
	if err == nil {
		err = s.cut(m, &x.Timeline, &x.Then)
	}
	return x, err
}

func (s *fakeStore) Findings(_ context.Context, q projections.Query) ([]projections.Finding, string, error) {
	return find(s, q, s.findings, func(x *projections.Finding) (string, string) { return x.Provider, x.State })
}

func (s *fakeStore) FindingAt(_ context.Context, provider, id string, m projections.Moment) (*projections.Finding, error) {
	x, err := one(s, s.findings, func(x *projections.Finding) bool { return x.Provider == provider && x.ID == id })
	if err == nil {
		err = s.cut(m, &x.Timeline, &x.Then)
	}
	return x, err
}

// The users of the world, by the keyed hashes of their names.
const (
	ada  = "e9e1cbc04dc9917d74fb257a41ed1873"
	gone = "0123456789abcdef0123456789abcdef"
)

func (w *worldMaker) user(id, rest string, at time.Duration, kind schema.Kind) {
	u := projections.User{Provider: "defguard", ID: id, Row: projections.Row{FirstEventAt: ago(at), LastEventAt: ago(at), EventCount: 1}}
	if err := json.Unmarshal([]byte(rest), &u); err != nil {
		panic(err)
	}
	if !u.Forgotten {
		u.Username, u.Name, u.Email, u.Groups = w.s(u.Username), w.s(u.Name), w.s(u.Email), []string{w.s("staff")}
		u.Devices = []schema.Device{{Name: w.s("laptop")}}
	}
	u.Timeline = w.timeline("defguard", schema.Data{UserID: id}, map[time.Duration]schema.Kind{at: kind}, at)
	u.LastEventSeq = u.Timeline[0].Seq
	w.store.users = append(w.store.users, u)
}

// makeSecurity adds what an access system tells of its users and what a scanner found.
func (w *worldMaker) makeSecurity() {
	key := func(kind, id, state, provisioned, more string) string {
		return fmt.Sprintf(`{"kind":%q,"id":%q,"state":%q,"provisioned_at":%q%s}`, kind, strings.Repeat(id, 32), state, provisioned, more)
	}
	keys := strings.Join([]string{
		key("pgp", "a", "provisioned", "2026-11-20T12:00:00Z", ""),
		key("ssh", "b", "provisioned", "2026-11-20T12:00:00Z", `,"fingerprint":"SHA256:abcdef"`),
		key("hardware", "c", "replaced", "2026-11-20T12:00:00Z", `,"serial":"12345678","replaced_at":"2026-11-21T12:00:00Z"`),
		key("hardware", "d", "provisioned", "2026-11-21T12:00:00Z", `,"serial":"87654321"`)}, ",")
	w.user(ada, `{"state":"active","username":"ada","name":"Ada Sample","email":"ada@example.com","admin":false,"mfa":true,"keys":[`+keys+`]}`, 10*time.Hour, schema.UserKeysProvisioned)
	w.user(gone, `{"state":"disabled","username":"[forgotten]","name":"[forgotten]","email":"[forgotten]","forgotten":true,"keys":[`+key("ssh", "e", "provisioned", "2026-11-19T12:00:00Z", "")+`]}`,
		3*day, schema.UserModified)
	timeline := func(kind schema.Kind, d schema.Data) []projections.TimelineEntry {
		return w.timeline("probely", d, map[time.Duration]schema.Kind{5 * time.Hour: kind}, 5*time.Hour)
	}
	seen := ago(5 * time.Hour)
	w.store.targets = []projections.Target{
		{Provider: "probely", ID: w.s("t1"), State: "verified", Name: w.s("Shop"), Host: w.s("shop.example.com"), URL: w.s("https://shop.example.com/"), VerifiedAt: pago(day), VerificationMethod: w.s("file"),
			Row: projections.Row{FirstEventAt: seen, LastEventAt: seen, EventCount: 1, LastEventSeq: 1, Timeline: timeline(schema.TargetVerified, schema.Data{TargetID: w.s("t1")})}},
		{Provider: "probely", ID: w.s("t2"), State: "verification_failed", Host: w.s("news.example.net"), Reason: w.s("no file was found"),
			Row: projections.Row{FirstEventAt: seen, LastEventAt: seen, EventCount: 1, LastEventSeq: 1, Timeline: timeline(schema.TargetVerificationFailed, schema.Data{TargetID: w.s("t2")})}}}
	one, none := 1, 0
	w.store.scans = []projections.Scan{
		{Provider: "probely", ID: w.s("s1"), State: "completed", TargetID: w.s("t1"), Host: w.s("shop.example.com"), Profile: w.s("full"), StartedAt: pago(6 * time.Hour), CompletedAt: pago(5 * time.Hour),
			Lows: &none, Mediums: &one, Highs: &one, Row: projections.Row{FirstEventAt: seen, LastEventAt: seen, EventCount: 1, LastEventSeq: 1, Timeline: timeline(schema.ScanCompleted, schema.Data{ScanID: w.s("s1")})}},
		{Provider: "probely", ID: w.s("s2"), State: "failed", TargetID: w.s("unheard"), Row: projections.Row{FirstEventAt: seen, LastEventAt: seen, EventCount: 1, LastEventSeq: 1}}}
	w.store.findings = []projections.Finding{
		{Provider: "probely", ID: w.s("t1:1"), State: "detected", TargetID: w.s("t1"), Name: w.s("Weak cipher suites in TLS"), Severity: 20, TLS: true, Host: w.s("shop.example.com"), URL: w.s("https://shop.example.com/"),
			Method: w.s("get"), Parameter: w.s("p"), ProviderState: "notfixed", CVSSScore: 5.3, CVSSVector: w.s("CVSS:3.0/AV:N"), DetectedAt: &seen, LastFoundAt: &seen, Row: projections.Row{FirstEventAt: seen, LastEventAt: seen, EventCount: 1, LastEventSeq: 1, Timeline: timeline(schema.FindingDetected, schema.Data{FindingID: w.s("t1:1")})},
		},
		{Provider: "probely", ID: w.s("t1:2"), State: "detected", TargetID: w.s("t1"), Name: w.s("Reflected cross-site scripting"), Severity: 30, Host: w.s("elsewhere.example"), ProviderState: "accepted",
			Row: projections.Row{FirstEventAt: seen, LastEventAt: seen, EventCount: 1, LastEventSeq: 1}}}
}
