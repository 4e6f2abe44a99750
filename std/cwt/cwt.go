// Package cwt makes and reads CBOR Web Tokens (RFC 8392, May 2018) that are signed as COSE_Sign1 (RFC 9052, section
// 4.2) with Ed25519 (algorithm EdDSA, RFC 9053, section 2.2).
//
// A token is written in one way only: claims and message in core deterministic encoding (RFC 8949, section 4.2.1), the
// algorithm alone in the protected header, the key id alone in the unprotected one (the id is a hint; a signer that
// learns which key is in force only by signing can still state it). Parse refuses every other way, so that a token has
// one sequence of bytes, and times that are not whole seconds.
package cwt

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"
)

// MaxSize is the largest token that Parse reads, in bytes.
const MaxSize = 16 << 20

// Claims is a claims set: the registered claims of RFC 8392, section 3.1, and others by their number. A zero value
// stands for a claim that is absent.
type Claims struct {
	Issuer    string            // iss, 1
	Subject   string            // sub, 2
	Audience  string            // aud, 3
	Expires   time.Time         // exp, 4: whole seconds
	NotBefore time.Time         // nbf, 5: whole seconds
	IssuedAt  time.Time         // iat, 6: whole seconds
	ID        []byte            // cti, 7
	Others    map[int64]Encoded // any other claim; numbers below -65536 are for private use (section 9.1)
}

// Encoded is one value in CBOR.
type Encoded = cbor.RawMessage

// Token is a signed claims set as Parse read it: its signature is not checked yet.
type Token struct {
	KeyID  []byte // which key signed, as the token says
	Claims Claims
	signed cose.Sign1Message
}

// SignFunc signs a message with Ed25519 and returns the id of the key and the 64 bytes of the signature.
type SignFunc func(message []byte) (keyID, signature []byte, err error)

// ErrSignature is what a signature that does not fit gives.
var ErrSignature = errors.New("cwt: the signature does not fit")

// Marshal returns a value in core deterministic CBOR.
func Marshal(value any) (Encoded, error) {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return nil, err
	}
	return mode.Marshal(value)
}

// Unmarshal reads a value strictly: no key twice, nothing of unknown length, no unknown field, nothing after it.
func Unmarshal(data []byte, value any) error {
	mode, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxNestedLevels:   8,
		MaxArrayElements:  1 << 21,
	}.DecMode()
	if err != nil {
		return err
	}
	return mode.Unmarshal(data, value)
}

// Marshal returns the claims set in core deterministic CBOR.
func (c Claims) Marshal() ([]byte, error) {
	set := make(map[int64]any, 7+len(c.Others))
	for number, text := range map[int64]string{1: c.Issuer, 2: c.Subject, 3: c.Audience} {
		if text != "" {
			set[number] = text
		}
	}
	for number, at := range map[int64]time.Time{4: c.Expires, 5: c.NotBefore, 6: c.IssuedAt} {
		if !at.IsZero() {
			if at.Nanosecond() != 0 {
				return nil, fmt.Errorf("cwt: claim %d is not a whole second", number)
			}
			set[number] = at.Unix()
		}
	}
	if len(c.ID) > 0 {
		set[7] = c.ID
	}
	for number, value := range c.Others {
		if number >= 1 && number <= 7 {
			return nil, fmt.Errorf("cwt: claim %d is a registered one and has a field of its own", number)
		}
		set[number] = value
	}
	return Marshal(set)
}

// UnmarshalClaims reads a claims set.
func UnmarshalClaims(data []byte) (Claims, error) {
	var set map[int64]Encoded
	if err := Unmarshal(data, &set); err != nil {
		return Claims{}, fmt.Errorf("cwt: %w", err)
	}
	claims := Claims{}
	for number, value := range set {
		var err error
		switch number {
		case 1:
			err = Unmarshal(value, &claims.Issuer)
		case 2:
			err = Unmarshal(value, &claims.Subject)
		case 3:
			err = Unmarshal(value, &claims.Audience)
		case 4:
			claims.Expires, err = date(value)
		case 5:
			claims.NotBefore, err = date(value)
		case 6:
			claims.IssuedAt, err = date(value)
		case 7:
			err = Unmarshal(value, &claims.ID)
		default:
			if claims.Others == nil {
				claims.Others = map[int64]Encoded{}
			}
			claims.Others[number] = value
		}
		if err != nil {
			return Claims{}, fmt.Errorf("cwt: claim %d: %w", number, err)
		}
	}
	return claims, nil
}

// date reads a NumericDate (RFC 8392, section 2) in whole seconds; its tag 1 is left out, as section 2 asks.
func date(value Encoded) (time.Time, error) {
	var seconds int64
	if err := Unmarshal(value, &seconds); err != nil {
		return time.Time{}, err
	}
	const year9999 = 253402300799
	if seconds < 0 || seconds > year9999 {
		return time.Time{}, errors.New("a time outside of the years 1970 to 9999")
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// Sign returns the claims as a signed token.
func Sign(claims Claims, sign SignFunc) ([]byte, error) {
	payload, err := claims.Marshal()
	if err != nil {
		return nil, err
	}
	message := cose.NewSign1Message()
	message.Payload = payload
	message.Headers.Protected.SetAlgorithm(cose.AlgorithmEdDSA)
	signer := &signer{sign: sign}
	if err := message.Sign(nil, nil, signer); err != nil {
		return nil, err
	}
	message.Headers.Unprotected[cose.HeaderLabelKeyID] = signer.keyID
	return message.MarshalCBOR()
}

// signer hands the bytes to be signed (RFC 9052, section 4.4) to a function and keeps the key id that it returned.
type signer struct {
	sign  SignFunc
	keyID []byte
}

func (s *signer) Algorithm() cose.Algorithm { return cose.AlgorithmEdDSA }

func (s *signer) Sign(_ io.Reader, message []byte) (signature []byte, err error) {
	s.keyID, signature, err = s.sign(message)
	if err == nil && len(signature) != ed25519.SignatureSize {
		err = fmt.Errorf("cwt: a signature of %d bytes", len(signature))
	}
	return signature, err
}

// Parse reads a token. Its claims are worth nothing before Verify returned nil.
func Parse(data []byte) (Token, error) {
	if len(data) > MaxSize {
		return Token{}, fmt.Errorf("cwt: %d bytes are too many", len(data))
	}
	token := Token{}
	if err := token.signed.UnmarshalCBOR(data); err != nil {
		return Token{}, fmt.Errorf("cwt: %w", err)
	}
	algorithm, err := token.signed.Headers.Protected.Algorithm()
	if err != nil || algorithm != cose.AlgorithmEdDSA || len(token.signed.Headers.Protected) != 1 {
		return Token{}, errors.New("cwt: the protected header does not name EdDSA alone")
	}
	keyID, ok := token.signed.Headers.Unprotected[cose.HeaderLabelKeyID].([]byte)
	if !ok || len(token.signed.Headers.Unprotected) != 1 {
		return Token{}, errors.New("cwt: the unprotected header does not name a key alone")
	}
	if len(token.signed.Signature) != ed25519.SignatureSize {
		return Token{}, fmt.Errorf("cwt: a signature of %d bytes", len(token.signed.Signature))
	}
	token.KeyID = keyID
	if token.Claims, err = UnmarshalClaims(token.signed.Payload); err != nil {
		return Token{}, err
	}
	again, err := token.rewrite()
	if err != nil {
		return Token{}, err
	}
	if !bytes.Equal(again, data) {
		return Token{}, errors.New("cwt: not in deterministic encoding")
	}
	return token, nil
}

// rewrite encodes anew what was read.
func (t Token) rewrite() ([]byte, error) {
	payload, err := t.Claims.Marshal()
	if err != nil {
		return nil, err
	}
	message := cose.NewSign1Message()
	message.Headers.Protected.SetAlgorithm(cose.AlgorithmEdDSA)
	message.Headers.Unprotected[cose.HeaderLabelKeyID] = t.KeyID
	message.Payload, message.Signature = payload, t.signed.Signature
	return message.MarshalCBOR()
}

// Verify checks that the key signed the token, and gives ErrSignature if not. It says nothing of the token's times.
func (t Token) Verify(key ed25519.PublicKey) error {
	if len(key) != ed25519.PublicKeySize {
		return errors.New("cwt: not an Ed25519 key")
	}
	verifier, err := cose.NewVerifier(cose.AlgorithmEdDSA, key)
	if err != nil {
		return err
	}
	if err := t.signed.Verify(nil, verifier); err != nil {
		return ErrSignature
	}
	return nil
}
