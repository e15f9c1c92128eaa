package answer

import "testing"

func TestSubjectFilters(t *testing.T) {
	for subject, ok := range map[string]bool{"": true, ">": true, "certs.>": true, "certs.order.*.digicert.12345": true, "*.order.>": true, "certs.domain.*.*.com.example.>": true,
		"certs": true, "certs.": false, ".": false, "certs.>.x": false, "certs.a*": false, "certs.a b": false, "orders.>": false} {
		if err := checkFilter(subject); (err == nil) != ok {
			t.Errorf("%q: %v", subject, err)
		}
	}
}
