package document

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/signature"
	"yagona/std/cwt"
)

// Result is what verification found, and why.
type Result struct {
	State    State
	Finding            // why
	Warnings []Finding // what makes the state less certain
	// KeyID is the key that the document names, if one could be read.
	KeyID string
	// Claims is what the QR code says; nil unless its signature fits: nothing else may be shown.
	Claims *Claims
	// Content is what the file says; nil unless a file was verified and is as it was issued.
	Content *Content
}

// Finding is a stable code, which is the key of its words in the catalogues, and the words in English.
type Finding struct {
	Code   string
	Reason string
}

// Fault returns the finding as what is said in the reader's language.
func (f Finding) Fault() *fault.Fault { return fault.New(fault.Invalid, f.Code, f.Reason) }

// The findings.
var (
	findingValid       = Finding{"document.valid", "The document is genuine and counts."}
	findingNotYet      = Finding{"document.not-yet", "The document is genuine, but does not count yet."}
	findingExpired     = Finding{"document.expired", "The document is genuine, but its time is over."}
	findingRevoked     = Finding{"document.revoked", "The issuer revoked the document. It does not count."}
	findingSuspended   = Finding{"document.suspended", "The licence is suspended: the document does not count for now. Ask whoever issued it."}
	findingNoKey       = Finding{"document.key-unknown", "The key that signed it is not in your key set. Download the newest key set; if it is not there either, do not accept the document."}
	findingOtherNode   = Finding{"document.other-node", "It says that another installation issued it. Verify it with that installation's key set."}
	findingOtherHolder = Finding{"document.key-of-another", "The key that signed it does not belong to the agency that it names. Do not accept it."}
	findingWithdrawn   = Finding{"document.key-withdrawn", "The key that signed it was stolen or lost. Ask for a new document."}
	findingOutOfTerm   = Finding{"document.key-out-of-term", "The key that signed it was not in force on the day of issue. Do not accept it."}
	findingSignature   = Finding{"document.signature", "The signature does not fit: what it says has been changed. Do not accept it."}
	findingFile        = Finding{"document.file-changed", "The file has been changed after it was issued. Do not accept it."}
	findingOtherFile   = Finding{"document.file-mixed", "The file is put together from different documents. Do not accept it."}
	findingUnsealed    = Finding{"document.file-unsealed", "The file carries no seal: it is from elsewhere, or another program saved it anew. Scan the QR code on it instead."}
	findingUnreadable  = Finding{errUnreadable.Code, errUnreadable.Message}

	warningKeysStale   = Finding{"document.keys-stale", "Your key set is out of date. Download a new one."}
	warningListStale   = Finding{"document.revocations-stale", "Your revocation list is out of date: a later revocation would not be seen. Download a new one."}
	warningListMissing = Finding{"document.revocations-missing", "You have no revocation list of this issuer: a revocation would not be seen."}
)

// clockSkew is by how much a verifier's clock may lag behind the issuer's.
const clockSkew = 5 * time.Minute

// Verify says what a payload (the text of a QR code) or a PDF file is worth, offline: it reads nothing but its arguments.
// A zero RevocationList stands for none; the result then carries a warning.
func Verify(payloadOrPDF []byte, keys KeySet, revocations RevocationList, now time.Time) Result {
	v := verifier{keys: keys, revocations: revocations, now: now}
	var result Result
	if bytes.HasPrefix(payloadOrPDF, []byte("%PDF-")) {
		result = v.file(payloadOrPDF)
	} else {
		result = v.payload(string(payloadOrPDF))
	}
	if result.State != Unreadable && !keys.Next.IsZero() && now.After(keys.Next) {
		result.Warnings = append(result.Warnings, warningKeysStale)
	}
	return result
}

type verifier struct {
	keys        KeySet
	revocations RevocationList
	now         time.Time
}

// authentic checks who signed a token of a document or of a file. It returns a result to stop with, or none.
func (v verifier) authentic(token cwt.Token) (stop *Result) {
	id := hex.EncodeToString(token.KeyID)
	refuse := func(state State, finding Finding) *Result {
		return &Result{State: state, Finding: finding, KeyID: id}
	}
	agency, node, _ := strings.Cut(token.Claims.Issuer, "@")
	key, known := v.keys.Key(id)
	switch {
	case node != v.keys.Node:
		return refuse(UnknownKey, findingOtherNode)
	case !known:
		return refuse(UnknownKey, findingNoKey)
	case key.Holder != signature.OfAgency(ident.Agency(agency)):
		return refuse(UnknownKey, findingOtherHolder)
	case token.Verify(key.Public) != nil:
		return refuse(Tampered, findingSignature)
	case !key.Withdrawn.IsZero():
		return refuse(UnknownKey, findingWithdrawn)
	}
	// A token tells whole seconds, a key's term begins within one.
	at := token.Claims.IssuedAt
	if at.Before(key.From.Truncate(time.Second)) || !key.Until.IsZero() && !at.Before(key.Until) {
		return refuse(UnknownKey, findingOutOfTerm)
	}
	return nil
}

func (v verifier) payload(payload string) Result {
	token, err := readPayload(payload)
	if err != nil {
		return Result{State: Unreadable, Finding: findingUnreadable}
	}
	if stop := v.authentic(token); stop != nil {
		return *stop
	}
	claims, err := readClaims(token)
	if err != nil {
		return Result{State: Unreadable, Finding: findingUnreadable}
	}
	result := Result{KeyID: hex.EncodeToString(token.KeyID), Claims: &claims}
	var revocation Revocation
	revoked := false
	if v.revocations.Node == claims.Node {
		revocation, revoked = v.revocations.find(claims.ID)
		if !revoked && v.now.After(v.revocations.Next) {
			result.Warnings = append(result.Warnings, warningListStale)
		}
	} else {
		result.Warnings = append(result.Warnings, warningListMissing)
	}
	from := claims.From
	if from.IsZero() {
		from = claims.Issued.Add(-clockSkew)
	}
	result.State = stateAt(from, claims.Until, revoked, revocation.Suspended, v.now)
	result.Finding = map[State]Finding{
		Valid: findingValid, NotYetValid: findingNotYet, Expired: findingExpired, Revoked: findingRevoked, Suspended: findingSuspended,
	}[result.State]
	return result
}

func (v verifier) file(file []byte) Result {
	sealed, err := readFile(file)
	if err != nil {
		switch fault.Code(err) {
		case errUnsealed.Code:
			return Result{State: Unreadable, Finding: findingUnsealed}
		default:
			return Result{State: Tampered, Finding: findingFile}
		}
	}
	if stop := v.authentic(sealed.token); stop != nil {
		if stop.State == Tampered {
			stop.Finding = findingFile
		}
		return *stop
	}
	var claim fileClaim
	if err := only(sealed.token, claimFile, &claim); err != nil || !bytes.Equal(claim.Digest, sealed.digest) {
		return Result{State: Tampered, Finding: findingFile, KeyID: hex.EncodeToString(sealed.token.KeyID)}
	}
	encoded, payload, err := claim.cut(file)
	if err != nil {
		return Result{State: Tampered, Finding: findingFile}
	}
	result := v.payload(string(payload))
	if result.Claims == nil {
		return result
	}
	digest := sha256.Sum256(encoded)
	content, err := decodeContent(encoded)
	if err != nil || !bytes.Equal(digest[:], result.Claims.Digest) ||
		sealed.token.Claims.Issuer != issuer(result.Claims.Agency, result.Claims.Node) {
		return Result{State: Tampered, Finding: findingOtherFile, KeyID: result.KeyID}
	}
	result.Content = &content
	return result
}
