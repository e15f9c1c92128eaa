package schema

import "testing"

func TestFilter(t *testing.T) {
	for _, c := range []struct {
		filter, subject string
		want            bool
	}{
		{"", "certs.order.issued.digicert.1", true},
		{"certs.>", "certs.order.issued.digicert.1", true},
		{">", "certs.order.issued.digicert.1", true},
		{"certs.order.issued.>", "certs.order.issued.digicert.1", true},
		{"certs.order.issued.>", "certs.order.issued", false},
		{"certs.order.issued.>", "certs.order.rejected.digicert.1", false},
		{"certs.order.*.digicert.1", "certs.order.issued.digicert.1", true},
		{"certs.order.*.digicert.1", "certs.order.issued.digicert.12", false},
		{"certs.order.*.digicert", "certs.order.issued.digicert.1", false},
		{"certs.order.*.digicert.*", "certs.order.issued.digicert", false},
		{"certs.domain.*.*.com.example.>", "certs.domain.validated.digicert.com.example.www", true},
		{"*.*.*.xolphin.>", "certs.order.issued.xolphin.7", true},
	} {
		f, err := ParseFilter(c.filter)
		if err != nil || f.Matches(c.subject) != c.want {
			t.Errorf("%q matches %s: %v (%v), want %v", c.filter, c.subject, !c.want, err, c.want)
		}
	}
	for _, bad := range []string{"orders.>", "certs..x", "certs.>.x", "certs.a*", "certs.x y", "."} {
		if _, err := ParseFilter(bad); err == nil {
			t.Errorf("%q is taken for a filter", bad)
		}
	}
}
