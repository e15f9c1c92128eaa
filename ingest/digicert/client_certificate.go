package digicert

import (
	"context"
	"fmt"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// DownloadCertificate returns certificate.collected with the certificate of this number or, if that is "", the active
// one of the order. pem_all is a bundle of leaf, intermediate and root ("Download certificate" page and glossary; the
// path by the certificate's number is that of clients). The event names what could not be read.
func (c *Client) DownloadCertificate(ctx context.Context, orderID, certificateID string) (provider.Answer, error) {
	what, id, before, after := "certificate "+certificateID, certificateID, "certificate/", "/download/format/pem_all"
	if certificateID == "" {
		what, id, before, after = "the certificate of order "+orderID, orderID, "certificate/download/order/", "/format/pem_all"
	}
	path, err := segment(id)
	if err != nil {
		return provider.Answer{}, err
	}
	chain, err := c.api.Bytes(ctx, before+path+after, nil)
	if err != nil {
		return provider.Answer{}, refused("hand out "+what, err)
	}
	data := schema.Data{Event: eventCollected, Decoder: apiDecoder, OrderID: orderID, CertificateID: certificateID}
	if data.Certificate, err = provider.ParseCertificate(string(chain)); err != nil {
		data.Unreadable = []schema.Unreadable{{Part: "certificate", Reason: err.Error()}}
	}
	answer := provider.Answer{Kind: schema.CertificateCollected, Data: data, Delivery: asDelivery(nil, chain)}
	answer.Delivery.Header["Content-Type"] = []string{"application/x-pem-file"}
	return answer, nil
}

// Collect calls DownloadCertificate, under the name that all providers' clients share.
func (c *Client) Collect(ctx context.Context, orderID, certificateID string) (provider.Answer, error) {
	return c.DownloadCertificate(ctx, orderID, certificateID)
}

// DomainInfo returns domain.validated with the time until which a domain's validation may be reused ("Domain info"
// page). Its Kind is "" while control of the domain is not proven.
func (c *Client) DomainInfo(ctx context.Context, domainID string) (provider.Answer, error) {
	path, err := segment(domainID)
	if err != nil {
		return provider.Answer{}, err
	}
	query := map[string][]string{"include_dcv": {"true"}, "include_validation": {"true"}}
	var d struct {
		Name         provider.Text `json:"name"`
		Approved     provider.Text `json:"dcv_approval_datetime"`
		Expires      provider.Text `json:"dcv_expiration_datetime"`
		Organization struct {
			ID   provider.Text `json:"id"`
			Name provider.Text `json:"name"`
		} `json:"organization"`
	}
	raw, err := c.ask(ctx, "describe domain "+domainID, "domain/"+path, query, &d)
	if err != nil {
		return provider.Answer{}, err
	}
	data := schema.Data{Event: eventDomain, Decoder: apiDecoder, DomainID: domainID, OrganizationName: provider.Clip(string(d.Organization.Name), provider.MaxText)}
	readID(&data, &data.OrganizationID, "organization_id", string(d.Organization.ID))
	if data.Domain, err = schema.DomainName(string(d.Name)); err != nil {
		return provider.Answer{}, fmt.Errorf("DigiCert's domain %s has no domain name that can be read: %w", domainID, err)
	}
	readTime(&data, &data.OccurredAt, "occurred_at", d.Approved)
	readTime(&data, &data.ExpiresAt, "expires_at", d.Expires)
	answer := provider.Answer{Kind: schema.DomainValidated, Data: data, Delivery: asDelivery(query, raw)}
	if data.OccurredAt == nil && data.ExpiresAt == nil {
		answer.Kind = ""
	}
	return answer, nil
}

func readTime(data *schema.Data, to **schema.Time, part string, s provider.Text) {
	if *to = moment(s); *to == nil && s != "" {
		data.Unreadable = append(data.Unreadable, schema.Unreadable{Part: part, Reason: fmt.Sprintf("%.80q is not a time", string(s))})
	}
}
