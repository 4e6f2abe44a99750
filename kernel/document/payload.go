package document

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/signature"
	"yagona/std/base45"
	"yagona/std/cwt"
)

// Prefix begins every payload: the format and its version.
const Prefix = "YAG1:"

// The claims that say what a token is. A token has exactly one of them, so that a token made for one purpose is worth
// nothing for another. The numbers are for private use (RFC 8392, section 9.1).
const (
	claimDocument    int64 = -65537
	claimFile        int64 = -65538
	claimKeySet      int64 = -65539
	claimRevocations int64 = -65540
)

// How much of a text the QR code states, in characters; the rest is cut off with an ellipsis.
const (
	shortTitle = 80
	shortLabel = 40
	shortValue = 60
)

const maxToken = 16 << 10 // of a document and of a seal, in bytes

// Claims is what the QR code says.
type Claims struct {
	ID       ident.Document
	Agency   ident.Agency
	Node     string
	Type     string
	Issued   time.Time
	From     time.Time // zero: from issue
	Until    time.Time // zero: forever
	Language string    // of title and facts: the authoritative one
	Title    string    // at most 80 characters
	Facts    []Fact
	Digest   []byte // SHA-256 of the content
}

// Fact is one checked line of the document, cut to 40 characters of label and 60 of value.
type Fact struct {
	_     struct{} `cbor:",toarray"`
	Label string
	Value string
}

// claim is the private claim of a document's token.
type claim struct {
	_        struct{} `cbor:",toarray"`
	Type     string
	Digest   []byte
	Language string
	Title    string
	Facts    []Fact
}

// Signer makes signatures; it is the part of a signature.Ring that issuing needs.
type Signer interface {
	Sign(ctx context.Context, holder signature.Holder, message []byte) (signature.Signature, error)
}

// sign returns the claims as a token signed by the holder.
func sign(ctx context.Context, signer Signer, holder signature.Holder, claims cwt.Claims) ([]byte, error) {
	return cwt.Sign(claims, func(message []byte) ([]byte, []byte, error) {
		made, err := signer.Sign(ctx, holder, message)
		if err != nil {
			return nil, nil, err
		}
		id, err := hex.DecodeString(made.Key)
		if err != nil {
			return nil, nil, err
		}
		return id, made.Bytes, nil
	})
}

// issuer names an agency on a node, as the claim iss does.
func issuer(agency ident.Agency, node string) string { return string(agency) + "@" + node }

func facts(text Text) []Fact {
	var found []Fact
	for _, line := range text.Lines {
		if line.Checked {
			found = append(found, Fact{Label: shorten(line.Label, shortLabel), Value: shorten(line.Value, shortValue)})
		}
	}
	return found
}

// shorten cuts a text to at most so many characters, the last one an ellipsis then.
func shorten(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// signPayload signs what the QR code says of a content, whose JSON is encoded.
func signPayload(ctx context.Context, signer Signer, packing *packer, content Content, encoded []byte) (string, error) {
	text, _ := content.Text(content.Authoritative)
	digest := sha256.Sum256(encoded)
	private, err := cwt.Marshal(claim{
		Type: content.Type, Digest: digest[:], Language: text.Language,
		Title: shorten(text.Title, shortTitle), Facts: facts(text),
	})
	if err != nil {
		return "", err
	}
	id := uuid.MustParse(string(content.ID)) // checked by Content.check
	token, err := sign(ctx, signer, signature.OfAgency(content.Agency), cwt.Claims{
		Issuer: issuer(content.Agency, content.Node), ID: id[:],
		IssuedAt: content.Issued, NotBefore: content.From, Expires: content.Until,
		Others: map[int64]cwt.Encoded{claimDocument: private},
	})
	if err != nil {
		return "", err
	}
	packed, err := packing.pack(token)
	if err != nil {
		return "", err
	}
	return Prefix + base45.Encode(packed), nil
}

// packer compresses tokens. It keeps its compressors, of almost a megabyte each, for the next token. The zero value is
// ready; it is safe for concurrent use.
type packer struct {
	compressors sync.Pool // of *zlib.Writer
}

// smallToken is up to where compressing a token is not worth its time, which is that of two signatures: one of 401 bytes
// became longer by it, one of 475 shorter by an eighth, one step in the code's size.
const smallToken = 450

// packLevel is how hard to compress: tokens of this length become as short, to a byte, as by zlib.BestCompression, in a third
// of the time.
const packLevel = zlib.DefaultCompression

// pack compresses a token that is not small if that makes it shorter. The first byte tells: a COSE_Sign1 begins with 0xD2,
// zlib with 0x78.
func (p *packer) pack(token []byte) ([]byte, error) {
	if len(token) <= smallToken {
		return token, nil
	}
	var out bytes.Buffer
	writer, kept := p.compressors.Get().(*zlib.Writer)
	if kept {
		writer.Reset(&out)
	} else {
		var err error
		if writer, err = zlib.NewWriterLevel(&out, packLevel); err != nil {
			return nil, err
		}
	}
	if _, err := writer.Write(token); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	p.compressors.Put(writer)
	if out.Len() < len(token) {
		return out.Bytes(), nil
	}
	return token, nil
}

func unpack(packed []byte) ([]byte, error) {
	if len(packed) == 0 || packed[0] != 0x78 {
		return packed, nil
	}
	rest := bytes.NewReader(packed)
	reader, err := zlib.NewReader(rest)
	if err != nil {
		return nil, err
	}
	token, err := io.ReadAll(io.LimitReader(reader, maxToken+1))
	switch {
	case err != nil:
		return nil, err
	case len(token) > maxToken || rest.Len() > 0:
		return nil, errUnreadable
	}
	return token, nil
}

var errUnreadable = fault.New(fault.Invalid, "document.unreadable",
	"This is not the text of a document's QR code. Scan the code again, or copy its text whole, from YAG1: on.")

// readPayload reads the token of a payload; nothing is verified yet. White space around it does not matter: a payload has
// spaces inside, but base45 never ends in one.
func readPayload(payload string) (cwt.Token, error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(payload), Prefix)
	if !ok || len(text) > base45.EncodedLen(maxToken) {
		return cwt.Token{}, errUnreadable
	}
	packed, err := base45.Decode(text)
	if err != nil {
		return cwt.Token{}, errUnreadable.Because(err)
	}
	token, err := unpack(packed)
	if err != nil {
		return cwt.Token{}, errUnreadable.Because(err)
	}
	parsed, err := cwt.Parse(token)
	if err != nil {
		return cwt.Token{}, errUnreadable.Because(err)
	}
	return parsed, nil
}

// readClaims returns what a verified token says of a document.
func readClaims(token cwt.Token) (Claims, error) {
	var private claim
	if err := only(token, claimDocument, &private); err != nil {
		return Claims{}, err
	}
	agency, node, _ := strings.Cut(token.Claims.Issuer, "@")
	id, err := uuid.FromBytes(token.Claims.ID)
	if err != nil || len(private.Digest) != sha256.Size || token.Claims.IssuedAt.IsZero() {
		return Claims{}, errUnreadable
	}
	return Claims{
		ID: ident.Document(id.String()), Agency: ident.Agency(agency), Node: node, Type: private.Type,
		Issued: token.Claims.IssuedAt, From: token.Claims.NotBefore, Until: token.Claims.Expires,
		Language: private.Language, Title: private.Title, Facts: private.Facts, Digest: private.Digest,
	}, nil
}

// only reads the private claim of a token that has this one and no other.
func only(token cwt.Token, number int64, value any) error {
	private, ok := token.Claims.Others[number]
	if !ok || len(token.Claims.Others) != 1 {
		return errUnreadable
	}
	if err := cwt.Unmarshal(private, value); err != nil {
		return errUnreadable.Because(err)
	}
	return nil
}
