package sectigo

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
)

// samples returns the deliveries of the Web Security Platform, one per event. Only user_create and the two rotations
// have a documented body ("Webhook Events", "DNSSEC Rotation Start Webhook"); the other bodies are guesses from one
// line each. An empty parameter leaves its key out.
func samples() []provider.Sample {
	ds := map[string]string{
		"domain": "", "key_tag": "38696", "algorithm": "13", "digest_type": "2",
		"digest": "49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD", "created_at": "2026-11-20T09:00:00Z",
	}
	change := map[string]string{"previous_state": "in_progress", "current_state": "complete"}
	enabled := map[string]string{}
	list := []provider.Sample{
		sample("website_dnssec_rotation_start", ds, rotation),
		sample("website_dnssec_rotation_complete", ds, rotation),
		sample("website_malware_issue_found", map[string]string{"path": "/index.php", "issue": "sample malware"}, plainBody("path", "issue")),
		sample("website_malware_issue_fixed", map[string]string{"path": "/index.php", "issue": "sample malware"}, plainBody("path", "issue")),
		sample("website_backup_change_alert", map[string]string{"path": "/index.php", "change": "modified"}, plainBody("path", "change")),
		sample("website_restore_state_changed", change, plainBody("previous_state", "current_state")),
		sample("website_zip_download_available", map[string]string{"url": "https://download.example.test/w.zip"}, plainBody("url")),
		sample("database_backup_restore_state_changed", change, plainBody("previous_state", "current_state")),
		sample("database_backup_zip_download_available", map[string]string{"url": "https://download.example.test/d.zip"}, plainBody("url")),
		sample("user_create", map[string]string{"name": "Jane Example", "email": "jane@example.test"}, user),
		sample("user_login_link", map[string]string{"url": "https://login.example.test/once"}, plainBody("url")),
		sample("user_reset_password", map[string]string{"temporary": "sample-temporary-password"}, plainBody("temporary")),
	}
	for _, service := range []string{"accelerate", "clean", "firewall", "monitor"} {
		list = append(list, sample("website_"+service+"_enabled", enabled, func(map[string]string) any { return []any{} }))
	}
	return list
}

func sample(event string, params map[string]string, body func(p map[string]string) any) provider.Sample {
	prefix, _, _ := strings.Cut(event, "_")
	all := map[string]string{"id": "123456", "partner_id": "1", prefix + "_id": "42"}
	maps.Copy(all, params)
	return provider.Sample{Event: event, Params: all, Build: func(p map[string]string) *provider.Delivery {
		targetType := map[string]string{"website": "Website", "database": "Database", "user": "User"}[prefix]
		return delivery(p, event, targetData{targetType, number(p[prefix+"_id"])}, body(p))
	}}
}

type targetData struct {
	Type string          `json:"type"`
	ID   json.RawMessage `json:"id,omitempty"`
}

type partner struct {
	ID json.RawMessage `json:"id,omitempty"`
}

func delivery(p map[string]string, event string, about targetData, body any) *provider.Delivery {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	// Strings and the numbers that number makes of them always encode.
	_ = enc.Encode(struct {
		ID      json.RawMessage `json:"id,omitempty"`
		Event   string          `json:"event"`
		Target  targetData      `json:"target"`
		Body    any             `json:"body"`
		Partner partner         `json:"partner"`
	}{number(p["id"]), event, about, body, partner{number(p["partner_id"])}})
	return &provider.Delivery{
		Method: "POST", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: bytes.TrimSuffix(b.Bytes(), []byte("\n")),
	}
}

// rotation makes the documented body, whose values are all strings. It names no domain; a sample may, to be told from
// others.
func rotation(p map[string]string) any {
	type dsRecord struct {
		KeyTag     string `json:"keytag"`
		Algorithm  string `json:"algorithm"`
		DigestType string `json:"digest_type"`
		Digest     string `json:"digest"`
		CreatedAt  string `json:"created_at,omitempty"`
		UpdatedAt  string `json:"updated_at,omitempty"`
	}
	type dnsKey struct {
		KeyType   string `json:"key_type"`
		ID        int    `json:"id"`
		Type      string `json:"type"`
		Protocol  string `json:"protocol"`
		Algorithm string `json:"algorithm"`
		PublicKey string `json:"pub_key"`
	}
	type delegation struct {
		DS   []dsRecord `json:"ds_records"`
		Keys []dnsKey   `json:"dns_keys"`
	}
	return struct {
		Domain     string     `json:"domain,omitempty"`
		Delegation delegation `json:"delegation_signer_record"`
	}{p["domain"], delegation{
		DS:   []dsRecord{{p["key_tag"], p["algorithm"], p["digest_type"], p["digest"], p["created_at"], p["created_at"]}},
		Keys: []dnsKey{{"ksk", 1234567, "257", "3", p["algorithm"], "c2FtcGxlIHB1YmxpYyBrZXk="}},
	}}
}

func user(p map[string]string) any {
	return map[string]any{"user": struct {
		ID    json.RawMessage `json:"id,omitempty"`
		Name  string          `json:"name,omitempty"`
		Email string          `json:"email,omitempty"`
	}{number(p["user_id"]), p["name"], p["email"]}}
}

// plainBody makes an object of the named parameters.
func plainBody(names ...string) func(p map[string]string) any {
	return func(p map[string]string) any {
		body := map[string]string{}
		for _, name := range names {
			if p[name] != "" {
				body[name] = p[name]
			}
		}
		return body
	}
}

// number writes s as the JSON number that Sectigo would send, a string if it is not a number, nothing if it is empty.
func number(s string) json.RawMessage {
	var n json.Number
	if err := json.Unmarshal([]byte(s), &n); err == nil && digits(s) {
		return json.RawMessage(s)
	}
	if s == "" {
		return nil
	}
	quoted, _ := json.Marshal(s) // a string always encodes
	return quoted
}
