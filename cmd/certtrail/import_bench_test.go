package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/progress"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/streams/transfer"
)

// importLines writes n events of a kilobyte, as an export does.
func importLines(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"specversion":"1.0","id":"%s","source":"/hooks/digicert","type":"certtrail.order.issued.v1","subject":"order/digicert/%d","time":"2026-01-01T00:00:00.000Z",`+
			`"datacontenttype":"application/json","data":{"provider":"digicert","event":"certificate_issued","decoder":"digicert/1","order_id":"%[2]d","certificate_id":"%[2]d",`+
			`"original":{"method":"POST","query":"","headers":{"content-type":"application/json"},"body":{"event":"certificate_issued","data":{"order_id":%[2]d,"note":"%[3]s"}}}}}`+"\n",
			uuid.Must(uuid.NewV7()), i, strings.Repeat("y", 450))
	}
	return b.Bytes()
}

// BenchmarkImport imports 20,000 events through the control socket, and exports them.
func BenchmarkImport(b *testing.B) {
	const n = 20_000
	lines := importLines(n)
	var exported int
	for b.Loop() {
		b.StopTimer()
		k := ownerForTest(b, b.TempDir())
		b.StartTimer()
		var result transfer.Imported
		err := k.Call(context.Background(), http.MethodPost, "/import", url.Values{"name": {"-"}}, bytes.NewReader(lines), nil, &result)
		if err != nil || result.Appended != n {
			b.Fatal(result, err)
		}
		b.StopTimer()
		x, err := export(context.Background(), k, &bytes.Buffer{}, &progress.Counter{})
		if err != nil {
			b.Fatal(err)
		}
		exported += int(x.Events())
		k.Close()
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "events/s")
}

func ownerForTest(t testing.TB, dir string) *owner.Client {
	t.Helper()
	k, err := node.Reach(context.Background(), &settings.Config{Systems: systems, DataDir: filepath.Join(dir, "data"), MaxBytes: 8 << 30}, discard)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
