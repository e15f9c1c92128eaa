package main

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// madeLog is a log whose events are made when they are read: a million orders of three CAs with a certificate each, over two years up to madeNow, and
// what surrounds them.
type madeLog struct{}

// How many of each the made log tells of.
const (
	madeOrders   = 1_000_000
	madeOthers   = 40_000 // orders without a certificate
	madeDomains  = 300_000
	madeFindings = 200_000
	madeUsers    = 20_000
	madeEvents   = madeOrders + madeOthers + madeDomains + madeFindings + madeUsers
)

var (
	madeNow   = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	madeBegan = madeNow.AddDate(-2, 0, 0)
)

// madeEvent is event i of the log. What it is of goes by i times a number without a common divisor, so that all kinds are spread over the two years.
func madeEvent(i int) *schema.Event {
	at := schema.At(madeBegan.Add(madeNow.Sub(madeBegan) / madeEvents * time.Duration(i)))
	n := int(uint64(i) * 999_983 % madeEvents)
	provider := []string{"digicert", "digicert", "digicert", "digicert", "digicert", "digicert", "digicert", "sectigo", "sectigo", "xolphin"}[n%10]
	d := schema.Data{Provider: provider, Event: "made", Decoder: provider + "/1"}
	host := fmt.Sprintf("host-%d.zone-%d.example.com", n, n%5000)
	kind := schema.OrderIssued
	switch {
	case n < madeOrders:
		d.OrderID, d.CertificateID = strconv.Itoa(10_000_000+n), strconv.Itoa(20_000_000+n)
		from, to := schema.At(at.Add(-time.Hour)), schema.At(at.AddDate(0, 0, []int{199, 199, 90, 398}[n/10%4]))
		d.Certificate = &schema.Certificate{
			SerialNumber: fmt.Sprintf("0a%030x", n), CommonName: host, DNSNames: []string{host, "www." + host}, Issuer: "Example Issuing CA " + strconv.Itoa(n%7),
			NotBefore: &from, NotAfter: &to, KeyAlgorithm: "ECDSA-P-256", FingerprintSHA256: fmt.Sprintf("%064x", n),
		}
	case n < madeOrders+madeOthers:
		d.OrderID = strconv.Itoa(10_000_000 + n)
		switch n % 8 {
		case 0:
			kind = schema.OrderRejected
		case 1:
			kind, d.Check, d.CheckState, d.Reason = schema.OrderCheckFailed, schema.CheckOrganization, schema.CheckFailed, "The register has no such company."
		case 2:
			kind = schema.OrderCanceled
		case 3:
			kind = schema.OrderReissueReady
		default:
			kind, d.Check, d.CheckState = schema.OrderUpdated, schema.CheckApproval, schema.CheckPending
		}
	case n < madeOrders+madeOthers+madeDomains:
		until := schema.At(at.AddDate(0, 0, 199))
		kind, d.Domain, d.ExpiresAt = schema.DomainValidated, host, &until
		if n%50 == 0 {
			kind, d.Reason = schema.DomainValidationFailed, "no TXT record"
		}
	case n < madeOrders+madeOthers+madeDomains+madeFindings:
		kind, d.Provider, d.FindingID, d.TargetID = schema.FindingDetected, "probely", schema.FindingID(strconv.Itoa(n%5000), strconv.Itoa(n)), strconv.Itoa(n%5000)
		if n%4 > 0 {
			kind = schema.FindingFixed
		}
		d.Finding = &schema.Finding{Name: "Missing cookie flag", Severity: 10 * (1 + n%4), Host: host}
		if n%40 == 0 {
			d.Finding.Name = "Weak TLS cipher"
		}
	default:
		kind, d.Provider, d.UserID = schema.UserCreated, "defguard", fmt.Sprintf("%032x", n)
	}
	return schema.New(fmt.Sprintf("01900000-0000-7000-8000-%012x", i), "/hooks/"+d.Provider, at, kind, d)
}

func (madeLog) Last(context.Context) (uint64, error) { return madeEvents, nil }

func (madeLog) Get(_ context.Context, seq uint64) (schema.Record, error) {
	if seq < 1 || seq > madeEvents {
		return schema.Record{}, fs.ErrNotExist
	}
	e := madeEvent(int(seq - 1))
	data, err := e.Encode()
	return schema.Record{Seq: seq, Subject: e.NATSSubject(), Time: e.Time.Time, Data: data}, err
}

func (l madeLog) Read(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error {
	for after < until {
		var batch []schema.Record
		for after < until && len(batch) < 5000 {
			after++
			r, err := l.Get(ctx, after)
			if err != nil {
				return err
			}
			batch = append(batch, r)
		}
		if err := yield(batch); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (l madeLog) Follow(ctx context.Context, after uint64, yield func([]schema.Record) error) error {
	if err := l.Read(ctx, after, madeEvents, yield); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}
