package api

import (
	"net/http"

	"yagona/kernel/country"
	"yagona/web/route"
)

// statuses are the codes of problems that the API gives, with their HTTP status. A code never changes its meaning.
var statuses = map[string]int{
	"access.choose-appointment": http.StatusForbidden, "access.forbidden": http.StatusForbidden,
	"access.officials-only": http.StatusForbidden, "access.other-role": http.StatusForbidden, "access.sign-in": http.StatusUnauthorized,
	"appeal.decided": http.StatusConflict, "appeal.late": http.StatusConflict, "appeal.not-refused": http.StatusConflict,
	"application.already-open": http.StatusConflict, "application.too-many-open": http.StatusConflict, "application.granted-meanwhile": http.StatusConflict, "application.too-many-drafts": http.StatusConflict, "application.closed": http.StatusConflict, "application.language": http.StatusUnprocessableEntity,
	"application.new-version": http.StatusConflict, "application.no-account-wanted": http.StatusConflict, "application.no-payment": http.StatusConflict,
	"licence.unknown": http.StatusNotFound, "licence.measure": http.StatusConflict, "licence.same-person": http.StatusForbidden,
	"application.in-force": http.StatusConflict, "application.no-offer": http.StatusConflict, "application.register-silent": http.StatusServiceUnavailable,
	"application.not-asked": http.StatusConflict, "application.other-service": http.StatusConflict,
	"application.sent": http.StatusConflict, "application.unknown": http.StatusNotFound, "application.archived": http.StatusGone,
	"archive.away":      http.StatusServiceUnavailable,
	"appointment.ended": http.StatusConflict, "appointment.approved-already": http.StatusConflict, "appointment.same-registrar": http.StatusForbidden, "appointment.incomplete": http.StatusUnprocessableEntity,
	"appointment.other-post": http.StatusUnprocessableEntity, "appointment.own-substitute": http.StatusUnprocessableEntity,
	"appointment.person": http.StatusUnprocessableEntity, "appointment.role": http.StatusUnprocessableEntity,
	"appointment.substitute-term": http.StatusUnprocessableEntity, "appointment.term": http.StatusUnprocessableEntity,
	"appointment.unknown": http.StatusNotFound, "closure.reason": http.StatusUnprocessableEntity,
	"contact.again": http.StatusConflict, "contact.changed": http.StatusConflict, "contact.channel": http.StatusUnprocessableEntity,
	"contact.code": http.StatusUnprocessableEntity, "contact.malformed": http.StatusUnprocessableEntity,
	"contact.not-confirmed": http.StatusUnprocessableEntity, "contact.too-many": http.StatusConflict,
	"contact.too-many-codes": http.StatusTooManyRequests, "contact.unknown": http.StatusNotFound,
	"document.already-revoked": http.StatusConflict, "document.basis": http.StatusUnprocessableEntity,
	"document.licence":      http.StatusConflict,
	"document.own-interest": http.StatusForbidden, "document.reason": http.StatusUnprocessableEntity,
	"document.unknown": http.StatusNotFound, "erasure.confirmed-already": http.StatusConflict,
	"erasure.law": http.StatusUnprocessableEntity, "erasure.no-standing": http.StatusForbidden, "erasure.no-supervisor": http.StatusConflict,
	"erasure.open-business": http.StatusConflict, "erasure.same-person": http.StatusForbidden,
	"erasure.unknown": http.StatusNotFound, "exchange.busy": http.StatusServiceUnavailable, "exchange.left-alone": http.StatusServiceUnavailable,
	"exchange.no-source": http.StatusServiceUnavailable, "exchange.not-granted": http.StatusForbidden,
	"exchange.other-agency": http.StatusForbidden, "exchange.unavailable": http.StatusServiceUnavailable,
	"exchange.wrong-type": http.StatusServiceUnavailable,
	"application.changed": http.StatusConflict, "together.acted": http.StatusConflict, "together.closed": http.StatusConflict, "together.minor": http.StatusForbidden, "together.own": http.StatusConflict,
	"fee.no-system": http.StatusServiceUnavailable, "fee.not-due": http.StatusConflict,
	"field.characters": http.StatusUnprocessableEntity, "field.date-range": http.StatusUnprocessableEntity,
	"field.json": http.StatusUnprocessableEntity, "field.option": http.StatusUnprocessableEntity,
	"field.pattern": http.StatusUnprocessableEntity, "field.range": http.StatusUnprocessableEntity,
	"field.required": http.StatusUnprocessableEntity, "field.subject": http.StatusUnprocessableEntity,
	"field.too-long": http.StatusUnprocessableEntity, "field.too-short": http.StatusUnprocessableEntity,
	"field.type": http.StatusUnprocessableEntity, "field.unknown": http.StatusUnprocessableEntity,
	"http.cross-origin": http.StatusForbidden, "http.duplicate-field": http.StatusUnprocessableEntity,
	"http.malformed": http.StatusBadRequest, "http.precondition-failed": http.StatusPreconditionFailed,
	"http.precondition-required": http.StatusPreconditionRequired, "http.timeout": http.StatusServiceUnavailable,
	"http.too-large": http.StatusRequestEntityTooLarge, "http.too-many": http.StatusTooManyRequests, "http.too-often": http.StatusTooManyRequests,
	"http.unknown-field": http.StatusUnprocessableEntity, "http.unsupported-media": http.StatusUnsupportedMediaType,
	"http.wrong-type": http.StatusUnprocessableEntity, "idempotency.malformed": http.StatusUnprocessableEntity,
	"idempotency.not-here": http.StatusUnprocessableEntity, "idempotency.not-uuid": http.StatusUnprocessableEntity,
	"idempotency.other-request": http.StatusUnprocessableEntity, "idempotency.in-progress": http.StatusConflict,
	"indicator.months": http.StatusUnprocessableEntity, "indicator.unknown": http.StatusNotFound,
	"import.column-twice": http.StatusUnprocessableEntity, "import.column-unknown": http.StatusUnprocessableEntity,
	"import.columns": http.StatusUnprocessableEntity, "import.file-changed": http.StatusConflict,
	"import.format": http.StatusUnprocessableEntity, "import.head": http.StatusUnprocessableEntity,
	"import.no-unique": http.StatusUnprocessableEntity, "import.row-size": http.StatusRequestEntityTooLarge,
	"calendar.date-malformed": http.StatusUnprocessableEntity,
	"correction.field":        http.StatusUnprocessableEntity, "correction.own-interest": http.StatusForbidden,
	"correction.reason": http.StatusUnprocessableEntity, "correction.record-unchanged": http.StatusConflict,
	"correction.register": http.StatusUnprocessableEntity, "correction.resolved": http.StatusConflict,
	"correction.state": http.StatusUnprocessableEntity, "correction.statement": http.StatusUnprocessableEntity, "correction.too-many": http.StatusConflict,
	"correction.twice": http.StatusConflict, "correction.unknown": http.StatusNotFound,
	"ident.malformed": http.StatusUnprocessableEntity,
	"internal":        http.StatusInternalServerError, "job.unknown": http.StatusNotFound, "journal.unknown": http.StatusNotFound,
	"ledger.account-unknown": http.StatusNotFound, "ledger.amount": http.StatusUnprocessableEntity, "ledger.transfer-differs": http.StatusConflict,
	"order.four-eyes": http.StatusForbidden, "order.moved": http.StatusConflict, "order.not-verified": http.StatusConflict, "order.own": http.StatusForbidden,
	"mandate.accepted":            http.StatusConflict,
	"mandate.called":              http.StatusUnprocessableEntity,
	"mandate.changed":             http.StatusConflict,
	"mandate.ended":               http.StatusConflict,
	"mandate.minor":               http.StatusForbidden,
	"mandate.nothing":             http.StatusUnprocessableEntity,
	"mandate.self":                http.StatusUnprocessableEntity,
	"mandate.services":            http.StatusUnprocessableEntity,
	"mandate.too-many":            http.StatusConflict,
	"mandate.unknown":             http.StatusNotFound,
	"mandate.until":               http.StatusUnprocessableEntity,
	"representation.as-official":  http.StatusForbidden,
	"representation.confidential": http.StatusForbidden,
	"representation.ended":        http.StatusForbidden,
	"representation.none":         http.StatusForbidden,
	"representation.scope":        http.StatusForbidden,
	"service.not-for":             http.StatusUnprocessableEntity,
	"order.reason":                http.StatusUnprocessableEntity, "order.state": http.StatusUnprocessableEntity,
	"order.unknown": http.StatusNotFound, "outage.time": http.StatusUnprocessableEntity, "outage.too-long": http.StatusUnprocessableEntity,
	"simulation.assume": http.StatusUnprocessableEntity, "simulation.busy": http.StatusConflict,
	"simulation.no-territory": http.StatusUnprocessableEntity, "simulation.no-value": http.StatusUnprocessableEntity,
	"simulation.not-granted": http.StatusForbidden, "simulation.other-service": http.StatusUnprocessableEntity,
	"simulation.param": http.StatusUnprocessableEntity, "simulation.people-only": http.StatusUnprocessableEntity,
	"simulation.too-many": http.StatusTooManyRequests, "simulation.unknown": http.StatusNotFound,
	"pack.problems": http.StatusUnprocessableEntity, "page.cursor": http.StatusUnprocessableEntity, "page.limit": http.StatusUnprocessableEntity,
	"person.unknown": http.StatusNotFound, "publication.again": http.StatusConflict,
	"publication.agency": http.StatusForbidden, "publication.same-person": http.StatusForbidden,
	"publication.settled": http.StatusConflict, "publication.time": http.StatusUnprocessableEntity,
	"publication.unknown": http.StatusNotFound, "register.about-nobody": http.StatusUnprocessableEntity,
	"register.busy": http.StatusServiceUnavailable, "register.closed": http.StatusConflict,
	"register.corrected-already": http.StatusConflict, "register.corrects-nothing": http.StatusUnprocessableEntity,
	"register.no-index": http.StatusUnprocessableEntity, "register.no-reason": http.StatusUnprocessableEntity,
	"register.no-record": http.StatusNotFound, "register.not-here": http.StatusUnprocessableEntity,
	"register.not-unique": http.StatusConflict, "register.out-of-order": http.StatusUnprocessableEntity,
	"register.subject-fixed": http.StatusUnprocessableEntity, "register.unknown": http.StatusNotFound,
	"seal.erased": http.StatusGone, "service.amount": http.StatusConflict, "service.closed": http.StatusConflict,
	"service.unknown": http.StatusNotFound, "service.unknown-value": http.StatusConflict,
	"session.ended": http.StatusUnauthorized, "session.proof-used": http.StatusUnauthorized,
	"signature.other-holder": http.StatusForbidden, "signature.out-of-term": http.StatusForbidden,
	"signature.unknown-key": http.StatusNotFound, "signature.wrong": http.StatusForbidden,
	"signin.no-number": http.StatusForbidden, "signin.not-your-appointment": http.StatusForbidden,
	"signin.provider-unavailable": http.StatusServiceUnavailable, "signin.unknown-person": http.StatusForbidden,
	"signin.not-trusted": http.StatusUnauthorized, "store.cannot-write": http.StatusServiceUnavailable,
	"store.damaged": http.StatusServiceUnavailable, "store.full": http.StatusServiceUnavailable, "task.action": http.StatusUnprocessableEntity,
	"task.attest": http.StatusUnprocessableEntity, "task.attest-type": http.StatusUnprocessableEntity,
	"task.claimed": http.StatusConflict, "task.evidence-changed": http.StatusConflict,
	"task.no-reason": http.StatusUnprocessableEntity, "task.not-open": http.StatusConflict,
	"task.own-interest": http.StatusForbidden, "task.reason": http.StatusUnprocessableEntity,
	"task.register-silent": http.StatusServiceUnavailable, "task.requirement-not-met": http.StatusConflict,
	"task.requirement-unknown": http.StatusConflict, "task.same-person": http.StatusForbidden,
	"task.summary-unseen": http.StatusConflict, "photo.missing": http.StatusUnprocessableEntity, "photo.too-many": http.StatusConflict,
	"photo.unwanted": http.StatusUnprocessableEntity,
	"task.unknown":   http.StatusNotFound, "territory.level": http.StatusUnprocessableEntity,
	"territory.unknown": http.StatusUnprocessableEntity,
}

// everywhere are the codes that any operation can give.
var everywhere = []string{"internal", "store.cannot-write", "store.damaged", "store.full", "http.timeout", "http.too-large", "http.too-many", "http.too-often"}

// problemCodes returns the codes that the operation can give, those of its route included.
func (o operation) problemCodes(profile *country.Profile) []string {
	codes := append([]string{}, everywhere...)
	for _, code := range o.codes {
		if code != countryCode {
			codes = append(codes, code)
			continue
		}
		for _, scheme := range []*country.Scheme{profile.Account, profile.Phone} {
			if scheme != nil {
				codes = append(codes, "country."+scheme.Name+"-malformed", "country."+scheme.Name+"-mistyped")
			}
		}
	}
	if o.access.String() != route.Public().String() {
		codes = append(codes, "access.sign-in", "session.ended", "access.forbidden")
		if o.method == http.MethodPost {
			codes = append(codes, "idempotency.malformed", "idempotency.other-request", "idempotency.in-progress")
		}
	}
	if o.access.String() != route.Public().String() && o.access.String() != route.SignedIn().String() {
		codes = append(codes, "access.officials-only", "access.choose-appointment", "access.other-role")
	}
	if o.method == http.MethodPost {
		codes = append(codes, "idempotency.not-here")
	}
	if o.method != http.MethodGet {
		codes = append(codes, "http.cross-origin")
	}
	if o.request != nil {
		codes = append(codes, "calendar.date-malformed", "http.malformed", "http.unsupported-media", "http.unknown-field", "http.duplicate-field", "http.wrong-type")
	}
	return codes
}

// exchangeCodes are the codes that come out of asking registers, where it cannot wait.
var exchangeCodes = []string{
	"exchange.busy", "exchange.left-alone", "exchange.no-source", "exchange.not-granted", "exchange.other-agency", "exchange.unavailable", "exchange.wrong-type",
}

// countryCode stands for the codes that the country profile's schemes give.
const countryCode = "country.*"

// statusOf returns the HTTP status of a code, or 422: what a country's schemes refuse is invalid.
func statusOf(code string) int {
	if known, ok := statuses[code]; ok {
		return known
	}
	return http.StatusUnprocessableEntity
}
