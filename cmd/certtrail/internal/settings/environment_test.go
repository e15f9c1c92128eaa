package settings

import (
	"reflect"
	"testing"

	"github.com/certtrail/certtrail/ingest/digicert"
)

func TestUnknownEnv(t *testing.T) {
	got := Systems{digicert.System}.UnknownEnv([]string{
		"PATH=/bin", "CERTTRAIL_WEB_LISTEN=127.0.0.1:0", "CERTTRAIL_DIGICERT_WEBHOOK_KEY_FILE=key", "CERTTRAIL_CONFIG=c.yaml",
		"CERTTRAIL_DIGICERT_WEBHOK_KEY=canary", "CERTTRAIL_web_url=x", "CERTTRAIL_MAX_BODY_FILE=x",
		"CERTTRAIL_SERVICE_HOST=10.0.0.1", "CERTTRAIL_SERVICE_PORT_HOOKS=8081", "CERTTRAIL_PORT=tcp://10.0.0.1:8081", "CERTTRAIL_PORT_8081_TCP_ADDR=10.0.0.1", // of Kubernetes
	})
	want := []Unknown{
		{"CERTTRAIL_DIGICERT_WEBHOK_KEY", []string{"CERTTRAIL_DIGICERT_WEBHOOK_KEY"}}, {"CERTTRAIL_MAX_BODY_FILE", nil}, {"CERTTRAIL_web_url", []string{"CERTTRAIL_WEB_URL"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
