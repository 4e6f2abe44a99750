package c2sp

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// Signature type bytes (signed-note, "Signature types").
const (
	typeEd25519     = 0x01
	typeCosignature = 0x04
)

const cosignatureSize = 8 + ed25519.SignatureSize

// Cosigner makes Ed25519 cosignatures. It is a note.Signer.
type Cosigner struct {
	name string
	key  ed25519.PrivateKey
	now  func() time.Time
}

// GenerateCosigner makes a new key for a witness and returns it in the encodings of note.GenerateKey, with the
// signature type of cosignatures: the private key for NewCosigner, the public one for NewCosignatureVerifier.
func GenerateCosigner(random io.Reader, name string) (private, public string, err error) {
	if !validName(name) {
		return "", "", errors.New("c2sp: a key's name has no spaces and no plus sign, and is not empty")
	}
	publicKey, privateKey, err := ed25519.GenerateKey(random)
	if err != nil {
		return "", "", fmt.Errorf("c2sp: generate key: %w", err)
	}
	material := append([]byte{typeCosignature}, privateKey.Seed()...)
	private = fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, keyID(name, typeCosignature, publicKey),
		base64.StdEncoding.EncodeToString(material))
	return private, verifierKey(name, publicKey), nil
}

// NewCosigner reads a private key as GenerateCosigner writes it, or an Ed25519 key as note.GenerateKey writes it; in
// the second case the key must sign nothing but cosignatures. Cosignatures carry the time that now tells.
func NewCosigner(private string, now func() time.Time) (*Cosigner, error) {
	malformed := errors.New("c2sp: a private key is PRIVATE+KEY+name+id+base64")
	rest, ok := strings.CutPrefix(private, "PRIVATE+KEY+")
	name, rest, _ := strings.Cut(rest, "+")
	id, encoded, _ := strings.Cut(rest, "+")
	material, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || len(material) != 1+ed25519.SeedSize || !validName(name) {
		return nil, malformed
	}
	if material[0] != typeCosignature && material[0] != typeEd25519 {
		return nil, errors.New("c2sp: the private key is not an Ed25519 key")
	}
	key := ed25519.NewKeyFromSeed(material[1:])
	if id != fmt.Sprintf("%08x", keyID(name, material[0], key.Public().(ed25519.PublicKey))) {
		return nil, errors.New("c2sp: the id of the private key is not that of its name and key")
	}
	return &Cosigner{name: name, key: key, now: now}, nil
}

// Name returns the witness's name.
func (c *Cosigner) Name() string { return c.name }

// KeyHash returns the key id of the witness's cosignatures.
func (c *Cosigner) KeyHash() uint32 { return keyID(c.name, typeCosignature, c.public()) }

// VerifierKey returns the public key as NewCosignatureVerifier reads it.
func (c *Cosigner) VerifierKey() string { return verifierKey(c.name, c.public()) }

// Sign returns a timestamped signature of a checkpoint's text.
func (c *Cosigner) Sign(text []byte) ([]byte, error) {
	seconds := c.now().Unix()
	if seconds < 0 {
		return nil, errors.New("c2sp: a cosignature cannot be made before 1970")
	}
	signature := binary.BigEndian.AppendUint64(nil, uint64(seconds))
	return append(signature, ed25519.Sign(c.key, cosigned(uint64(seconds), text))...), nil
}

func (c *Cosigner) public() ed25519.PublicKey { return c.key.Public().(ed25519.PublicKey) }

// CosignatureVerifier verifies the cosignatures of one witness. It is a note.Verifier.
type CosignatureVerifier struct {
	name string
	key  ed25519.PublicKey
}

// NewCosignatureVerifier reads the public key of a witness, "name+id+base64", of signature type 0x04.
func NewCosignatureVerifier(key string) (*CosignatureVerifier, error) {
	name, rest, _ := strings.Cut(key, "+")
	id, encoded, _ := strings.Cut(rest, "+")
	material, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(material) != 1+ed25519.PublicKeySize || !validName(name) {
		return nil, errors.New("c2sp: a witness's key is name+id+base64")
	}
	if material[0] != typeCosignature {
		return nil, fmt.Errorf("c2sp: the key of %q has signature type %d; a witness's has type 4", name, material[0])
	}
	public := ed25519.PublicKey(material[1:])
	if id != fmt.Sprintf("%08x", keyID(name, typeCosignature, public)) {
		return nil, errors.New("c2sp: the id of the witness's key is not that of its name and key")
	}
	return &CosignatureVerifier{name: name, key: public}, nil
}

// Name returns the witness's name.
func (v *CosignatureVerifier) Name() string { return v.name }

// KeyHash returns the key id.
func (v *CosignatureVerifier) KeyHash() uint32 { return keyID(v.name, typeCosignature, v.key) }

// PublicKey returns the Ed25519 key. Two witnesses of different names with one key are one witness: the signed message
// does not hold the name.
func (v *CosignatureVerifier) PublicKey() ed25519.PublicKey { return v.key }

// Verify reports whether the signature is a cosignature of the checkpoint's text. A time in the future is not refused.
func (v *CosignatureVerifier) Verify(text, signature []byte) bool {
	if len(signature) != cosignatureSize {
		return false
	}
	seconds := binary.BigEndian.Uint64(signature)
	return seconds <= math.MaxInt64 && ed25519.Verify(v.key, cosigned(seconds, text), signature[8:])
}

// CosignatureTime returns when a cosignature says it was made. It means something only if the signature was verified.
func CosignatureTime(signature note.Signature) (time.Time, error) {
	raw, err := base64.StdEncoding.DecodeString(signature.Base64)
	if err != nil || len(raw) != 4+cosignatureSize {
		return time.Time{}, errors.New("c2sp: this is not an Ed25519 cosignature")
	}
	seconds := binary.BigEndian.Uint64(raw[4:])
	if seconds > math.MaxInt64 {
		return time.Time{}, errors.New("c2sp: the time of the cosignature is out of range")
	}
	return time.Unix(int64(seconds), 0).UTC(), nil
}

// cosigned returns what a cosignature signs (tlog-cosignature, "Ed25519 signed message").
func cosigned(seconds uint64, text []byte) []byte {
	return append([]byte("cosignature/v1\ntime "+strconv.FormatUint(seconds, 10)+"\n"), text...)
}

func verifierKey(name string, key ed25519.PublicKey) string {
	return fmt.Sprintf("%s+%08x+%s", name, keyID(name, typeCosignature, key),
		base64.StdEncoding.EncodeToString(append([]byte{typeCosignature}, key...)))
}

// keyID computes the id that signed-note recommends and tlog-cosignature demands.
func keyID(name string, signatureType byte, key ed25519.PublicKey) uint32 {
	hash := sha256.New()
	hash.Write([]byte(name))
	hash.Write([]byte{'\n', signatureType})
	hash.Write(key)
	return binary.BigEndian.Uint32(hash.Sum(nil))
}

// validName reports whether a key may have this name (signed-note, "Format").
func validName(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.ContainsRune(name, '+') &&
		!strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r < 0x20 })
}
