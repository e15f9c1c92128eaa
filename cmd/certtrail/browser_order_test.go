package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/demo"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/sample"
)

// TestOrderLivesOnOnePage opens the page of an order that nobody has told of, and on it sees the order created, stuck,
// unstuck and issued.
func TestOrderLivesOnOnePage(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	sample := func(event string, set ...string) {
		t.Helper()
		system, _ := systems.Of("digicert")
		d, err := sample.Build(system, event, set)
		if err != nil {
			t.Fatal(err)
		}
		if status, answer, err := w.deliver("digicert", d); err != nil || status != 200 {
			t.Fatalf("%d %s %v", status, answer, err)
		}
	}
	approval := func(status string) { sample("order_approval_"+status, "order_id=779001", "certificate_id=") }
	ca, err := demo.NewAuthority("Sample CA", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Issue(time.Now(), time.Now().Add(199*demo.Day), "live.example.com", "www.live.example.com")
	if err != nil {
		t.Fatal(err)
	}
	ctx := browser(t)
	do(t, ctx, chromedp.Navigate(w.web+"/orders/digicert/779001"))
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.sameDocument = true`))
	until(t, ctx, "live", isLive)
	const text = `document.querySelector("main").innerText`
	steps := func(of string) string {
		return fmt.Sprintf(`[...document.querySelectorAll(".steps li")].some(li => li.innerText.replace(/\s+/g, " ").includes(%q))`, of)
	}
	state := func(of string) string {
		return fmt.Sprintf(`document.querySelector(".now .tone")?.textContent.includes(%q)`, of)
	}

	approval("completed")
	until(t, ctx, "created", state("pending")+` && `+text+`.includes("wait for the CA") && `+steps("Approval passed"))
	approval("email_sent")
	until(t, ctx, "stuck", state("action required")+` && `+steps("Approval pending")+` && document.querySelector("#check-approval").innerText.includes("What to do") && /for less than a minute/.test(`+text+`)`)
	sample("domain_validated", "domain_name=live.example.com", "validated_until="+time.Now().AddDate(0, 0, 199).Format(time.DateOnly))
	approval("completed")
	until(t, ctx, "unstuck", state("pending")+` && !document.querySelector("#blocks") && document.querySelectorAll(".events > li").length === 3`)
	sample("certificate_issued", "order_id=779001", "certificate_id=889001", "certificate="+leaf, "ca_certificate="+ca.PEM)
	until(t, ctx, "issued", state("issued")+` && `+steps("Domains 2 of 2")+` && document.querySelector("#certificates tbody tr").innerText.includes("active")`)
	until(t, ctx, "the domains' validations", `document.querySelector("#domains").innerText.includes("by live.example.com, validated until")`)
	sample("domain_expired", "domain_name=live.example.com")
	until(t, ctx, "a validation lapsed", `document.querySelector("#domains").innerText.includes("expired")`)
	sample("certificate_revoked", "order_id=779001", "certificate_id=889001")
	until(t, ctx, "revoked", state("revoked")+` && document.querySelector("#certificates tbody tr").innerText.includes("none yet")`)
	if same := do(t, ctx, chromedp.Evaluate[bool](`window.sameDocument === true`)); !same {
		t.Error("the page was loaded again")
	}
	sliderKeepsItsPlace(t, ctx)
	printsWell(t, ctx)
}

// sliderKeepsItsPlace goes through the past of the page that is open: what the slider says must not move the slider.
func sliderKeepsItsPlace(t *testing.T, ctx context.Context) {
	t.Helper()
	const place = `JSON.stringify((r => [r.left, r.top, r.width])(document.getElementById("moment-at").getBoundingClientRect()))`
	now := do(t, ctx, chromedp.Evaluate[string](place))
	for _, n := range []int{1, 3} {
		do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(s => { s.value = %d; s.dispatchEvent(new Event("input", { bubbles: true })) })(document.getElementById("moment-at"))`, n)))
		until(t, ctx, "the past", fmt.Sprintf(`document.querySelector(".banner")?.innerText.includes("As of event %d of 5")`, n))
		if then := do(t, ctx, chromedp.Evaluate[string](place)); then != now {
			t.Errorf("as of event %d the slider is at %s, in the present at %s", n, then, now)
		}
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`(s => { s.value = s.max; s.dispatchEvent(new Event("input", { bubbles: true })) })(document.getElementById("moment-at"))`))
	until(t, ctx, "the present", `!document.querySelector(".banner")`)
}

// printsWell looks at the page as it would be printed: no controls, all that it says, nothing wider than the paper.
func printsWell(t *testing.T, ctx context.Context) {
	t.Helper()
	do(t, ctx, func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	})
	do(t, ctx, func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 718, Height: 1000, DeviceScaleFactor: 1}) // A4 less its margins
	})
	printed := do(t, ctx, chromedp.Evaluate[string](`(() => {
		const seen = s => [...document.querySelectorAll(s)].some(n => n.checkVisibility());
		const out = [];
		for (const s of [".bar nav", ".search", "#live", "#moment-form", "footer", ".events details summary"]) if (seen(s)) out.push(s + " is printed");
		for (const s of ["h1", ".steps", "#certificates", "#domains", ".events .what", ".events .exact", ".facts"]) if (!seen(s)) out.push(s + " is not printed");
		if (document.documentElement.scrollWidth > 718) out.push("it is " + document.documentElement.scrollWidth + " px wide");
		const light = c => { const m = document.createElement("canvas").getContext("2d"); m.fillStyle = c; m.fillRect(0, 0, 1, 1); return m.getImageData(0, 0, 1, 1).data[0] > 200; };
		if (!light(getComputedStyle(document.body).backgroundColor)) out.push("the paper is dark");
		return out.join("; ");
	})()`))
	if strings.TrimSpace(printed) != "" {
		t.Error(printed)
	}
}
