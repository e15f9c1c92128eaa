package defguard

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
)

// samples returns the deliveries that Defguard v2 sends, one per event.
func samples() []provider.Sample {
	about := map[string]string{"id": "17", "username": "jdoe", "first_name": "Jane", "last_name": "Doe", "email": "jane.doe@example.test", "phone": "+31 20 5550100", "groups": "admin", "active": "true"}
	changed := map[string]string{"id": "17", "username": "jdoe", "first_name": "Jane", "last_name": "Doe", "email": "jane.doe@example.test", "phone": "", "groups": "admin,vpn", "active": "true"}
	return []provider.Sample{
		sample("user_created", about, userInfo),
		sample("user_modified", changed, userInfo),
		sample("user_deleted", map[string]string{"username": "jdoe"}, func(p map[string]string) any {
			return map[string]string{"username": p["username"]}
		}),
		sample("user_keys", map[string]string{"username": "jdoe", "email": "jane.doe@example.test", "ssh_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHZ6bXJ5c2FtcGxlc2FtcGxlc2FtcGxlc2FtcGxlc2E= jane.doe@example.test",
			"pgp_key": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZsample\n-----END PGP PUBLIC KEY BLOCK-----\n", "serial": "12345678"}, userKeys),
	}
}

func sample(event string, params map[string]string, body func(p map[string]string) any) provider.Sample {
	return provider.Sample{Event: event, Params: params, Build: func(p map[string]string) *provider.Delivery {
		b, _ := json.Marshal(body(p)) // of strings, numbers and booleans: always encodes
		return &provider.Delivery{
			Method: "POST", Header: map[string][]string{"Content-Type": {"application/json"}, headerEvent: {event}}, Body: b,
		}
	}}
}

// userInfo has the members of UserInfo in v2.0.
func userInfo(p map[string]string) any {
	id, _ := strconv.Atoi(p["id"])
	groups := strings.FieldsFunc(p["groups"], func(r rune) bool { return r == ',' })
	var phone any
	if p["phone"] != "" {
		phone = p["phone"]
	}
	return map[string]any{
		"id": id, "username": p["username"], "first_name": p["first_name"], "last_name": p["last_name"], "name": p["first_name"] + " " + p["last_name"],
		"email": p["email"], "phone": phone, "mfa_enabled": false, "totp_enabled": false, "email_mfa_enabled": false, "mfa_method": "None", "groups": groups,
		"authorized_apps": []any{}, "is_active": p["active"] != "false", "enrolled": true, "is_admin": false, "ldap_pass_requires_change": false,
		"devices": []any{map[string]any{
			"id": 5, "name": p["username"] + "-laptop", "wireguard_pubkey": "c2FtcGxlLXdpcmVndWFyZC1wdWJsaWMta2V5LTAwMDA=", "user_id": id, "created": "2026-05-14T12:53:49.123456",
			"device_type": "user", "description": nil, "configured": true, "networks": []any{},
		}},
	}
}

// userKeys has the members of HWKeyUserData.
func userKeys(p map[string]string) any {
	return map[string]string{"username": p["username"], "email": p["email"], "ssh_key": p["ssh_key"], "pgp_key": p["pgp_key"], "serial": p["serial"]}
}
