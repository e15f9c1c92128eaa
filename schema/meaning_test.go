package schema

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestAnew(t *testing.T) {
	for name, c := range map[string]struct{ wire, want string }{
		"no unknown members": {
			`{"specversion":"1.0","id":"7","source":"/hooks/x","type":"certtrail.delivery.unrecognized.v1","subject":"delivery/x/7","time":"2026-11-21T22:00:00.123Z","data":{"provider":"x","event":"e","decoder":"x/1","reason":"Why not."}}`,
			`{"specversion":"1.0","id":"7","source":"/hooks/x","type":"certtrail.order.issued.v1","subject":"order/x/5","time":"2026-11-21T22:00:00.123Z","data":{"provider":"x","event":"issued","decoder":"x/2","order_id":"5"}}`,
		},
		"unknown members, and a known one that is gone": {
			` { "id":"7","specversion":"1.0", "traceparent" : "00-{\"}" ,"source":"/hooks/x","type":"certtrail.order.rejected.v3","subject":"s","time":"2026-11-21T22:00:00.123Z","certtrailimported":"yes","seq":9,
			   "data":{"new":[1,{"reason":"]"}],"reason":"Why not.","provider":"x","event":"e","decoder":"x/1","other":null} } `,
			`{"specversion":"1.0","id":"7","source":"/hooks/x","type":"certtrail.order.issued.v1","subject":"order/x/5","time":"2026-11-21T22:00:00.123Z","certtrailimported":"yes","traceparent":"00-{\"}","seq":9,
			   "data":{"provider":"x","event":"issued","decoder":"x/2","order_id":"5","new":[1,{"reason":"]"}],"other":null}}`,
		},
	} {
		e, err := Decode([]byte(c.wire))
		if err != nil {
			t.Fatal(err)
		}
		again := e.WithMeaning(OrderIssued, Data{Provider: "x", Event: "issued", Decoder: "x/2", OrderID: "5"})
		if wire, err := e.Encode(); err != nil || !sameJSON(t, string(wire), c.wire) {
			t.Errorf("%s: the event before became %s (%v)", name, wire, err)
		}
		wire, err := again.Encode()
		if err != nil || !sameJSON(t, string(wire), c.want) {
			t.Errorf("%s: got  %s (%v)\nwant %s", name, wire, err, c.want)
		}
		if name == "no unknown members" && again.wire != nil {
			t.Errorf("%s: %s is kept", name, again.wire)
		}
	}
	made := New("7", "/hooks/x", Time{}, OrderRejected, Data{Provider: "x", Reason: "why"}).WithMeaning(OrderIssued, Data{Provider: "x", OrderID: "5"})
	if made.Data.Reason != "" || made.Subject != "order/x/5" || made.Kind() != OrderIssued {
		t.Errorf("an event that was never on the wire becomes %+v", made)
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(a), &x); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}
