package digicert

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// What the events that are made of answers are called, and what read them.
const (
	eventDescribed = "order_info"
	eventCollected = "certificate_download"
	eventDomain    = "domain_info"
	apiDecoder     = "digicert-api/1"
)

// standings translates the API's words for an order's status. The page's own list could not be read; these are those
// that the pages "Order info", "Status change list" and "Update order status" show, and those of a client
// (Keyfactor/digicert-certcentral-caplugin). A word that is missing here says nothing of an order's state:
// reissue_pending, renewed, not_renewed and expired belong to orders that were issued, and stay so.
var standings = map[string]string{
	"pending": provider.StandingPending, "needs_approval": provider.StandingPending, "needs_csr": provider.StandingPending, "processing": provider.StandingPending,
	"approved": provider.StandingPending, "waiting_pickup": provider.StandingPending, "awaiting_pickup": provider.StandingPending,
	"issued": provider.StandingIssued, "rejected": provider.StandingRejected, "denied": provider.StandingRejected, "canceled": provider.StandingCanceled,
	"cancelled": provider.StandingCanceled, "revoked": provider.StandingRevoked,
}

func standing(orderID, certificateID, word string) provider.Standing {
	certificateID, _ = schema.ID(certificateID) // one too long for a row is as good as none
	return provider.Standing{OrderID: orderID, CertificateID: certificateID, Word: provider.Clip(word, provider.MaxEvent), State: standings[strings.ToLower(word)]}
}

// orderJSON holds what is read of an order ("Order info" page, and clients for product and organization).
type orderJSON struct {
	Status      provider.Text `json:"status"`
	Certificate struct {
		ID           provider.Text   `json:"id"`
		SerialNumber provider.Text   `json:"serial_number"` // once it is issued, as is date_issued
		CommonName   provider.Text   `json:"common_name"`
		DNSNames     []provider.Text `json:"dns_names"`
		DateIssued   provider.Text   `json:"date_issued"`
		CA           json.RawMessage `json:"ca_cert"`
		Organization json.RawMessage `json:"organization"`
	} `json:"certificate"`
	Organization json.RawMessage `json:"organization"`
	Product      struct {
		ValidationType provider.Text `json:"validation_type"`
	} `json:"product"`
}

// OrderInfo returns an order's standing, and order.described with its names and organization ("Order info" page). The
// page's dates of validity are days without a time, too coarse for a certificate's end: Collect has them.
func (c *Client) OrderInfo(ctx context.Context, orderID string) (provider.Standing, provider.Answer, error) {
	path, err := segment(orderID)
	if err != nil {
		return provider.Standing{}, provider.Answer{}, err
	}
	var order orderJSON
	raw, err := c.ask(ctx, "describe order "+orderID, "order/certificate/"+path, nil, &order)
	if err != nil {
		return provider.Standing{}, provider.Answer{}, err
	}
	s := standing(orderID, string(order.Certificate.ID), string(order.Status))
	s.At = moment(order.Certificate.DateIssued)
	s.Certificate = order.names()
	s.Checks = order.checks()
	data := schema.Data{
		Event: eventDescribed, Decoder: apiDecoder, OrderID: orderID, CertificateID: s.CertificateID, Certificate: s.Certificate, Checks: s.Checks,
		ValidationType: provider.Clip(string(order.Product.ValidationType), provider.MaxText),
	}
	order.organization(&data)
	return s, provider.Answer{Kind: schema.OrderDescribed, Data: data, Delivery: asDelivery(nil, raw)}, nil
}

// names returns the names that the order is for. A pending order has no certificate yet, but has them.
func (o *orderJSON) names() *schema.Certificate {
	c := &schema.Certificate{SerialNumber: serial(string(o.Certificate.SerialNumber)), CommonName: provider.CommonName(string(o.Certificate.CommonName))}
	for _, n := range o.Certificate.DNSNames {
		if n != "" {
			c.DNSNames = append(c.DNSNames, provider.CommonName(string(n)))
		}
	}
	var ca struct {
		Name provider.Text `json:"name"`
	}
	_ = json.Unmarshal(o.Certificate.CA, &ca) // an order for a certificate of no known CA has none
	c.Issuer = provider.Clip(string(ca.Name), provider.MaxText)
	return c
}

// checks returns those that an order's status implies: somebody of the account must approve the order, or give its CSR.
func (o *orderJSON) checks() schema.Checks {
	switch strings.ToLower(string(o.Status)) {
	case "needs_approval":
		return schema.Checks{schema.CheckApproval: schema.CheckPending}
	case "needs_csr":
		return schema.Checks{schema.CheckCSR: schema.CheckPending}
	}
	return nil
}

func (o *orderJSON) organization(data *schema.Data) {
	for _, raw := range []json.RawMessage{o.Organization, o.Certificate.Organization} {
		var of struct {
			ID   provider.Text `json:"id"`
			Name provider.Text `json:"name"`
		}
		_ = json.Unmarshal(raw, &of) // a DV order has none
		if id, err := schema.ID(string(of.ID)); err == nil && id != "" {
			data.OrganizationID, data.OrganizationName = id, provider.Clip(string(of.Name), provider.MaxText)
			return
		}
	}
}

// validationJSON holds what is read of an order's validation ("Order validation status" page). Its ids are strings,
// unlike elsewhere.
type validationJSON struct {
	OrganizationID   provider.Text `json:"organization_id"`
	OrganizationName provider.Text `json:"organization_name"`
	Organizations    []struct {
		Status provider.Text `json:"status"`
	} `json:"organization_validations"`
	Names []struct {
		Scope    provider.Text   `json:"name_scope"`
		Status   provider.Text   `json:"status"`
		DNSNames []provider.Text `json:"dns_names"`
	} `json:"dns_name_validations"`
}

// ValidationStatus returns order.described with the checks of an order's organization and of each of its names ("Order
// validation status" page).
func (c *Client) ValidationStatus(ctx context.Context, orderID string) (provider.Answer, error) {
	path, err := segment(orderID)
	if err != nil {
		return provider.Answer{}, err
	}
	var v validationJSON
	raw, err := c.ask(ctx, "tell how order "+orderID+" is validated", "order/certificate/"+path+"/validation", nil, &v)
	if err != nil {
		return provider.Answer{}, err
	}
	data := schema.Data{
		Event: eventDescribed, Decoder: apiDecoder, OrderID: orderID, Checks: v.checks(), OrganizationName: provider.Clip(string(v.OrganizationName), provider.MaxText),
	}
	if data.OrganizationID, err = schema.ID(string(v.OrganizationID)); err != nil {
		data.Unreadable = append(data.Unreadable, schema.Unreadable{Part: "organization_id", Reason: err.Error()})
	}
	return provider.Answer{Kind: schema.OrderDescribed, Data: data, Delivery: asDelivery(nil, raw)}, nil
}

// checks passes a check once everything it covers has passed; the worst state counts.
func (v *validationJSON) checks() schema.Checks {
	checks := schema.Checks{}
	note := func(check, word string) {
		state, known := checkStates[strings.ToLower(word)]
		if known && worse[state] >= worse[checks[check]] {
			checks[check] = state
		}
	}
	for _, o := range v.Organizations {
		note(schema.CheckOrganization, string(o.Status))
	}
	for _, n := range v.Names {
		if len(n.DNSNames) == 0 {
			n.DNSNames = []provider.Text{n.Scope}
		}
		for _, dnsName := range n.DNSNames {
			if domain, err := schema.DomainName(string(dnsName)); err == nil {
				note(schema.DomainCheck(domain), string(n.Status))
			}
		}
	}
	if len(checks) == 0 {
		return nil
	}
	return checks
}

// checkStates translates the API's words for the state of a validation. The pages show approved, pending, active and
// complete; the others are those of its requests and orders. An unknown word says nothing of a check.
var checkStates = map[string]schema.CheckState{
	"approved": schema.CheckPassed, "active": schema.CheckPassed, "complete": schema.CheckPassed, "completed": schema.CheckPassed, "valid": schema.CheckPassed,
	"pending": schema.CheckPending, "submitted": schema.CheckPending, "processing": schema.CheckPending,
	"rejected": schema.CheckFailed, "denied": schema.CheckFailed, "failed": schema.CheckFailed, "expired": schema.CheckFailed,
}

var worse = map[schema.CheckState]int{"": 0, schema.CheckPassed: 1, schema.CheckPending: 2, schema.CheckDelayed: 3, schema.CheckFailed: 4}

// Describe returns all that the API says of an order: OrderInfo, and ValidationStatus while something of it is pending.
// The kept original has both answers under order_info and validation.
func (c *Client) Describe(ctx context.Context, orderID string) (provider.Standing, provider.Answer, error) {
	s, answer, err := c.OrderInfo(ctx, orderID)
	if err != nil || s.State != provider.StandingPending && !strings.EqualFold(s.Word, "reissue_pending") {
		return s, answer, err
	}
	validation, err := c.ValidationStatus(ctx, orderID)
	if err != nil {
		return s, answer, err
	}
	checks := validation.Data.Checks
	if checks == nil {
		checks = schema.Checks{}
	}
	for check, state := range answer.Data.Checks {
		checks[check] = state
	}
	if len(checks) > 0 {
		answer.Data.Checks, s.Checks = checks, checks
	}
	if answer.Data.OrganizationID == "" || answer.Data.OrganizationID == validation.Data.OrganizationID && answer.Data.OrganizationName == "" {
		answer.Data.OrganizationID, answer.Data.OrganizationName = validation.Data.OrganizationID, validation.Data.OrganizationName
	}
	answer.Data.Unreadable = validation.Data.Unreadable
	both, err := json.Marshal(map[string]json.RawMessage{"order_info": answer.Delivery.Body, "validation": validation.Delivery.Body})
	if err != nil {
		return s, answer, err
	}
	answer.Delivery = asDelivery(nil, both)
	return s, answer, nil
}

// serial writes a serial number as schema.Certificate has it; "" if s is none.
func serial(s string) string {
	s = strings.ToLower(strings.ReplaceAll(s, ":", ""))
	if len(s)%2 == 1 {
		s = "0" + s
	}
	for len(s) > 2 && strings.HasPrefix(s, "00") {
		s = s[2:]
	}
	if _, err := hex.DecodeString(s); err != nil {
		return ""
	}
	return s
}
