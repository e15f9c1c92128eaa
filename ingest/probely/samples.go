package probely

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
)

// samples returns the deliveries that Probely sends, one per event type, with the members that its API gives of each
// object.
func samples() []provider.Sample {
	aTarget := map[string]string{"target_id": "3NnoNEvCLtsc", "name": "Web shop", "host": "www.example.test"}
	aScan := with(aTarget, "scan_id", "3epwuyBoKQKN", "lows", "2", "mediums", "1", "highs", "0")
	aFinding := with(aTarget, "finding_id", "12", "name", "Weak cipher suites in TLS", "severity", "20", "path", "/")
	aUser := map[string]string{"user_id": "2aDq6BEzAK5u", "email": "jane.doe@example.test", "name": "Jane Doe"}
	var list []provider.Sample
	for _, event := range []string{"target_created", "target_verified", "target_verification_failed", "target_deleted"} {
		list = append(list, sample(event, aTarget, targetObject))
	}
	for _, event := range []string{"scan_started", "scan_completed", "scan_canceled", "scan_failed"} {
		list = append(list, sample(event, aScan, scanObject))
	}
	for _, event := range []string{"finding_detected", "finding_fixed"} {
		list = append(list, sample(event, aFinding, findingObject))
	}
	for _, event := range []string{"user_created", "user_deleted"} {
		list = append(list, sample(event, aUser, userObject))
	}
	return list
}

func with(params map[string]string, pairs ...string) map[string]string {
	all := map[string]string{}
	for name, value := range params {
		all[name] = value
	}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = pairs[i+1]
	}
	return all
}

// sample has an id of its own each time it is built, as every event has, unless event_id gives one.
func sample(event string, params map[string]string, content func(event string, p map[string]string) map[string]any) provider.Sample {
	return provider.Sample{Event: event, Params: with(params, "event_id", "", "occurred_at", "2026-11-21T21:59:58.071Z"), Build: func(p map[string]string) *provider.Delivery {
		eventID := p["event_id"]
		if eventID == "" {
			eventID = rand.Text()[:12]
		}
		objectType, _, _ := strings.Cut(event, "_")
		var body bytes.Buffer
		_ = json.NewEncoder(&body).Encode(map[string]any{ // of strings, numbers and booleans: always encodes
			"id": eventID, "event_type": event, "occurred_at": p["occurred_at"], "object_type": objectType, "content": content(event, p),
			"webhooks": []any{map[string]any{"id": "427jgP7ESpXC", "api_version": "v1", "status": "scheduled", "next_try": p["occurred_at"], "retries": 0}},
		})
		return &provider.Delivery{Method: "POST", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: bytes.TrimSuffix(body.Bytes(), []byte("\n"))}
	}}
}

func targetObject(event string, p map[string]string) map[string]any {
	problem := ""
	if event == "target_verification_failed" {
		problem = "The verification file was not found."
	}
	return map[string]any{
		"id": p["target_id"], "name": p["name"], "labels": []any{}, "type": "single", "site": map[string]any{
			"id": "2rKyx8J7SpFa", "name": p["name"], "url": "https://" + p["host"], "host": p["host"], "verified": event == "target_verified",
			"verification_token": "00000000-0000-4000-8000-000000000000", "verification_method": "file", "verification_last_error": problem,
		},
	}
}

func scanObject(event string, p map[string]string) map[string]any {
	o := map[string]any{
		"id": p["scan_id"], "target": targetObject("", p), "status": strings.TrimPrefix(event, "scan_"), "started": p["occurred_at"], "completed": nil, "scan_profile": "full",
		"lows": number(p["lows"]), "mediums": number(p["mediums"]), "highs": number(p["highs"]),
	}
	if event == "scan_completed" {
		o["completed"] = p["occurred_at"]
	}
	return o
}

func findingObject(event string, p map[string]string) map[string]any {
	state := "notfixed"
	if event == "finding_fixed" {
		state = "fixed"
	}
	address := "https://" + p["host"] + p["path"]
	return map[string]any{
		"id": number(p["finding_id"]), "target": map[string]any{"id": p["target_id"]}, "scans": []string{"3epwuyBoKQKN"}, "labels": []any{},
		"definition": map[string]any{"id": "N9V9hJ_GnlKp", "name": p["name"]}, "url": address, "path": address, "method": "get", "parameter": "", "state": state,
		"severity": number(p["severity"]), "cvss_score": 5.3, "cvss_vector": "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N", "last_found": p["occurred_at"],
	}
}

func userObject(_ string, p map[string]string) map[string]any {
	return map[string]any{"id": p["user_id"], "email": p["email"], "name": p["name"]}
}

// number writes s as a JSON number if it is one, else as it is.
func number(s string) any {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return s
}
