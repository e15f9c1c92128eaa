package web

import (
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// checkText explains a check that has not passed.
type checkText struct {
	Happened string
	Means    string
	Do       string
}

// checkName is a check as a heading: "Organization", or the domain's own name.
func checkName(name string) string {
	if domain, ok := strings.CutPrefix(name, "domain:"); ok {
		return schema.DisplayName(domain)
	}
	switch name {
	case "":
		return ""
	case schema.CheckCSR:
		return "CSR"
	}
	return strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "_", " ")
}

func checkTextOf(name string, state schema.CheckState) checkText {
	base := name
	if strings.HasPrefix(name, "domain:") {
		base = "domain"
	}
	failed := state == schema.CheckFailed
	switch base {
	case schema.CheckCSR:
		return checkText{
			either(failed, "The CA refused the certificate signing request (CSR).", "The CA has not accepted the certificate signing request (CSR) yet."),
			"It cannot issue for this key or these names. Usual causes: a key that is too short or was used before, names that differ from the order's, a CSR damaged in copying.",
			"Make a new CSR with a fresh key (RSA 2048 bits or more, or ECDSA P-256) for the names of the order, and submit it with the order at the CA."}
	case schema.CheckOrganization:
		return checkText{
			either(failed, "The CA could not verify the organization.", "The CA is verifying the organization."),
			"Name and address of the order must be those in a public register (chamber of commerce, Dun & Bradstreet and the like).",
			either(failed, "Compare the order with the register, letter by letter. Correct the one that is wrong, or send the CA an extract of the register.",
				"Nothing, unless the CA asks for a document.")}
	case schema.CheckPhone:
		return checkText{
			either(failed, "The validation call failed.", "The validation call has not taken place yet."),
			"The CA calls the organization at a number from a public register, never at one from the order." +
				either(state == schema.CheckPending, "", " Nobody answered it, or the number is not listed."),
			"Tell whoever answers that number to expect the CA's call, or ask the CA for another appointment or another listed number."}
	case schema.CheckWhois:
		return checkText{
			either(failed, "The domain's registration does not match the order.", "The CA is comparing the domain's registration with the order."),
			"The registrant in WHOIS or RDAP is hidden or is another than the organization of the order.",
			"Have the registrar correct or show the registrant, or ask the CA for another way to prove control of the domain."}
	case schema.CheckBrand:
		return checkText{
			either(failed, "The CA refused the name on account of a brand.", "The CA is looking at the name by hand."),
			"A name that contains a known brand, or resembles one, is examined by a person before anything is issued.",
			either(failed, "Prove to the CA that the brand is yours, or order without the name it names.", "Nothing, unless the CA asks; this takes a working day or two.")}
	case schema.CheckApproval:
		return checkText{
			either(failed, "The order was not approved.", "The CA waits for the order to be approved."),
			"It has sent an e-mail with a link to the approvers of the order. Nothing is issued before one of them has agreed.",
			"Find the e-mail (also among the spam) and approve, or have the CA send it again, to another approver if need be."}
	case schema.CheckIssuance:
		return checkText{
			either(failed, "All was ready, and then the CA failed to issue.", "The CA is about to issue."),
			"The last checks before signing did not pass. Often a CAA record forbids this CA to issue for one of the names.",
			"Look at the CAA records of every name and its parents, mend what the CA's words below name, and ask it to try again."}
	case "domain":
		return checkText{
			either(failed, "Control of the domain could not be proved.", "Control of the domain is not proved yet."),
			either(failed, "The CA did not find the proof where it looked: ", "The CA looks for the proof that was agreed on: ") +
				"the DNS record, the file on the web server or the answer to its e-mail.",
			"Check that the proof is public: ask the DNS record of a public resolver, fetch the file from outside over plain HTTP, look for the e-mail. Then let the CA try again."}
	}
	return checkText{either(failed, "The check failed.", "The check has not passed yet."), "", "See what the CA says of the order in its console."}
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}
