package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// sshPrint holds the fingerprint of adasKey, as a page shows it.
var sshPrint = func() string {
	blob, err := base64.StdEncoding.DecodeString(strings.Fields(adasKey)[1])
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(blob)
	return "SHA256:" + strings.ReplaceAll(base64.RawStdEncoding.EncodeToString(sum[:]), "+", "&#43;")
}()

func TestPagesOfUsersAndScanners(t *testing.T) {
	h := handler(t, options(world(t, plain)))
	for path, want := range map[string][]string{
		"/users": {"ada@example.com", "PGP, SSH, hardware", "[forgotten]", `data-row="users/defguard/` + ada + `"`, `href="/users" aria-current="page"`, "username, e-mail, name"},
		"/users/defguard/" + ada: {"<h1 data-then=\"\">ada", "Ada Sample", "PGP key", sshPrint, "87654321", "12345678", "replaced", "20 Nov 2026, 12:00:00 UTC", "21 Nov 2026, 12:00:00 UTC",
			"<dt>Administrator</dt><dd>no</dd>", "<dt>Second factor</dt><dd>yes</dd>", "laptop", "staff"},
		"/users/defguard/" + gone:   {"<h1 data-then=\"\">[forgotten]</h1>", "This person has been forgotten", "SSH key", "disabled"},
		"/targets":                  {"verification failed", "no file was found", "news.example.net", `href="/targets/probely/t2"`},
		"/targets/probely/t1":       {"verified", `href="/domains/shop.example.com"`, `id="findings" data-model="findings"`, `data-row="scans/probely/s1"`},
		"/targets/probely/t2":       {"Next: verify it", "<q>no file was found</q>"},
		"/scans":                    {"1 high", "1 medium", "0 low", "host not known"},
		"/scans/probely/s1":         {"took 1 h", `href="/targets/probely/t1"`, "<dt>Profile</dt><dd>full</dd>"},
		"/findings":                 {"Weak cipher suites in TLS", ">medium<", ">TLS<", `href="/findings/probely/t1:1"`, "?sort=-severity"},
		"/findings/probely/t1:1":    {"Next: fix it", "5.3", "CVSS:3.0/AV:N", `href="/targets/probely/t1"`, `href="/domains/shop.example.com"`},
		"/findings/probely/t1:2":    {"Next: nothing", "marked it as accepted"},
		"/domains/shop.example.com": {"Scan targets", `data-row="targets/probely/t1"`, "TLS findings", `data-row="findings/probely/t1:1"`},
	} {
		w := get(h, path)
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", path, w.Code)
		}
		wantAll(t, path, w.Body.String(), want)
	}
	for path, never := range map[string][]string{
		"/findings/probely/t1:2":    {`href="/domains/elsewhere.example"`},                       // its page would say that no event concerns it
		"/scans/probely/s2":         {`href="/targets/probely/unheard"`},                         // likewise
		"/domains/shop.example.com": {"cross-site"},                                              // not about TLS
		"/users/defguard/" + gone:   {"E-mail", "<dt>Name", "<dt>Username", "Devices", "Groups"}, // all of it the person's
		"/users":                    {"sort=username", "sort=-username", "sort=email", "sort=name"},
	} {
		body := get(h, path).Body.String()
		for _, text := range never {
			if strings.Contains(body, text) {
				t.Errorf("%s has %s", path, text)
			}
		}
	}
}

// TestPresentKeysStandFirst: of each kind the present key, and below them those that were replaced.
func TestPresentKeysStandFirst(t *testing.T) {
	body := get(handler(t, options(world(t, plain))), "/users/defguard/"+ada).Body.String()
	var at []int
	for _, text := range []string{">87654321<", ">" + sshPrint + "<", ">" + keys.Hash("defguard", "key\x00pgp\x00pgp")[:12] + "<", ">12345678<"} {
		at = append(at, strings.Index(body, text))
	}
	if slices.Contains(at, -1) || !slices.IsSorted(at) {
		t.Errorf("the keys stand at %v, want all, the replaced one last", at)
	}
}

// TestAddressesTellOfNobody looks at every address and title of the users' pages.
func TestAddressesTellOfNobody(t *testing.T) {
	h := handler(t, options(world(t, plain)))
	places := regexp.MustCompile(`(?:href|src|action)="[^"]*"|<title>[^<]*</title>|data-(?:row|watch|key)="[^"]*"`)
	for _, path := range []string{"/users", "/users?limit=1", "/users/defguard/" + ada, "/users/defguard/" + ada + "?at=2030-01-01", "/users/defguard/" + gone} {
		found := places.FindAllString(get(h, path).Body.String(), -1)
		if len(found) < 10 {
			t.Fatalf("%s has only %d places", path, len(found))
		}
		for _, place := range found {
			if personal := regexp.MustCompile(`(?i)\bada\b|sample|ada@`).FindString(place); personal != "" {
				t.Errorf("%s tells of a person in %s", path, place)
			}
		}
	}
	for _, sort := range []string{"username", "-name", "email"} {
		wantProblem(t, sort, get(h, "/api/v1/users?sort="+sort), 400) // the cursor would tell
	}
	if body := get(h, "/users?q=ben%40example.com").Body.String(); strings.Contains(body, "/orders?q=") {
		t.Error("a search for a person is handed to other lists")
	}
}

func TestSealedDeliveriesSaySo(t *testing.T) {
	s, l := world(t, plain)
	w := &story{s: plain}
	w.sayOf("defguard", "ada", 0, schema.UserModified, schema.User{Person: &schema.Person{Username: "ada"}})
	sealed := w.events[0].Data.Original.Sealed
	record(t, s, l, w)
	h := handler(t, options(s, l))
	body := get(h, "/users/defguard/"+ada).Body.String()
	wantAll(t, "the timeline", body, []string{"<summary>Delivery, sealed</summary>", "&#34;method&#34;: &#34;POST&#34;"})
	if strings.Contains(body, sealed) {
		t.Error("the timeline shows what nobody can read")
	}
	if event := get(h, "/events/"+regexp.MustCompile(`/events/(\d+)">event`).FindStringSubmatch(body)[1]).Body.String(); !strings.Contains(event, html.EscapeString(sealed)) || !strings.Contains(event, `href="/users/defguard/`+ada+`"`) {
		t.Error("the event's page is not as it stands in the log, or does not lead to the user")
	}
}

func TestIDsOfScannersOfAnyBytes(t *testing.T) {
	for _, id := range []string{"t1:12", "a/b:1", "..", "ä b", "%2F:3", "a?b#c", "\xff:1", "_:4"} {
		w := &story{s: plain}
		w.say("probely", day, schema.FindingDetected, schema.Data{FindingID: id, TargetID: id})
		w.say("probely", day, schema.TargetVerified, schema.Data{TargetID: id})
		w.say("probely", day, schema.ScanStarted, schema.Data{ScanID: id, TargetID: id})
		h := handler(t, options(storeOf(t, w)))
		for _, model := range []string{"findings", "targets", "scans"} {
			m := regexp.MustCompile(`href="(/` + model + `/probely/[^"]*)"`).FindStringSubmatch(get(h, "/"+model).Body.String())
			if m == nil {
				t.Fatalf("%q: the list of %s has no link", id, model)
			}
			for _, path := range []string{m[1], "/api/v1" + m[1]} {
				if w := get(h, path); w.Code != http.StatusOK {
					t.Errorf("%q: %s: status %d", id, path, w.Code)
				}
			}
		}
	}
}

func TestEmptyListsSayHowToTurnTheirProvidersOn(t *testing.T) {
	o := options(empty(t))
	all := providers(true)()
	all = append(all, web.Provider{Name: "probely", Title: "Probely", Endpoints: []string{"https://hooks.example.com/hooks/probely/{token}"}, HowtoEnable: []string{"probely-token"}, Fills: []string{"targets", "findings"}})
	o.Providers = func() []web.Provider { return all }
	h := handler(t, o)
	wantAll(t, "/targets", get(h, "/targets").Body.String(), []string{"Probely", "To turn it on, set <code>probely-token</code> in <code>certtrail.yaml</code>", "a scanner watches"})
	if strings.Contains(get(h, "/orders").Body.String(), "probely-token") {
		t.Error("the orders name a provider that does not fill them")
	}
	for i := range all[:3] {
		all[i].Fills = []string{"orders"}
	}
	if strings.Contains(get(h, "/targets").Body.String(), "xolphin-token") || !strings.Contains(get(h, "/orders").Body.String(), "xolphin-token") {
		t.Error("the lists do not name those providers alone that fill them")
	}
}
