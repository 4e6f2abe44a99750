package document

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"time"
	"unicode/utf16"

	"yagona/kernel/fault"
	"yagona/kernel/signature"
	"yagona/std/cwt"
)

// A file is the drawn pages, then one incremental update (ISO 32000-1, section 7.5.6) that attaches the content
// ("document.json") and the payload ("verify.txt"), then the seal in a comment just before the file's last lines:
//
//	%PDF-1.7 … pages … %%EOF
//	… attached files, catalogue, information, cross-reference table, trailer …
//	%YAGONA1 <token in base64>
//	startxref
//	<offset>
//	%%EOF
//
// The seal's digest is over every byte of the file but the seal's own line, so that reading it takes no knowledge of how
// the rest was made: a later version may draw and attach differently.
const sealMark = "%YAGONA1 "

// fileClaim is the private claim of a seal.
type fileClaim struct {
	_       struct{} `cbor:",toarray"`
	Digest  []byte   // SHA-256 of the file without the line of the seal
	Content span
	Payload span
}

// span is where an attached file lies in the file.
type span struct {
	_      struct{} `cbor:",toarray"`
	Offset int
	Length int
}

// cut returns the attached content and payload.
func (c fileClaim) cut(file []byte) (content, payload []byte, err error) {
	for _, part := range []struct {
		span span
		out  *[]byte
	}{{c.Content, &content}, {c.Payload, &payload}} {
		end := part.span.Offset + part.span.Length
		if part.span.Offset < 0 || part.span.Length < 0 || end < part.span.Offset || end > len(file) {
			return nil, nil, errUnreadable
		}
		*part.out = file[part.span.Offset:end]
	}
	return content, payload, nil
}

// sealFile draws a document, attaches what it was made of and seals it. The content is encoded as it was when the
// payload was signed.
func sealFile(ctx context.Context, signer Signer, encoded []byte, payload string, now time.Time) ([]byte, error) {
	content, err := decodeContent(encoded)
	if err != nil {
		return nil, err
	}
	pages, err := Render(content, payload)
	if err != nil {
		return nil, err
	}
	head, tail, claim, err := attach(pages, content, encoded, payload)
	if err != nil {
		return nil, err
	}
	digest := sha256.New()
	digest.Write(head)
	digest.Write(tail)
	claim.Digest = digest.Sum(nil)
	private, err := cwt.Marshal(claim)
	if err != nil {
		return nil, err
	}
	token, err := sign(ctx, signer, signature.OfAgency(content.Agency), cwt.Claims{
		Issuer: issuer(content.Agency, content.Node), IssuedAt: now.UTC().Truncate(time.Second),
		Others: map[int64]cwt.Encoded{claimFile: private},
	})
	if err != nil {
		return nil, err
	}
	file := append(head, sealMark...)
	file = base64.StdEncoding.AppendEncode(file, token)
	file = append(file, '\n')
	return append(file, tail...), nil
}

// What attach needs to know of the pages; Render's library writes them so.
var pagesEnd = regexp.MustCompile(`/Size (\d+)\n/Root 1 0 R\n>>\nstartxref\n(\d+)\n%%EOF\n$`)

// attach returns the file up to the place of the seal, what follows it, and where the attached files lie.
func attach(pages []byte, content Content, encoded []byte, payload string) (head, tail []byte, claim fileClaim, err error) {
	found := pagesEnd.FindSubmatch(pages[max(0, len(pages)-200):])
	if found == nil {
		return nil, nil, claim, fault.New(fault.Internal, "document.pages", "The drawn pages do not end as expected.")
	}
	size, err := strconv.Atoi(string(found[1]))
	if err != nil {
		return nil, nil, claim, err
	}
	update := update{out: *bytes.NewBuffer(bytes.Clone(pages)), offsets: map[int]int{}}
	claim.Content = update.file(size, "document.json", "application/json", "Source", encoded)
	claim.Payload = update.file(size+2, "verify.txt", "text/plain", "Supplement", []byte(payload))
	text := content.Texts[0]
	update.object(size+4, fmt.Sprintf("<< /Title %s /Author %s /Producer (Yagona) /CreationDate (D:%s) >>",
		hexText(text.Title), hexText(text.Agency), content.Issued.UTC().Format("20060102150405Z")))
	update.object(1, fmt.Sprintf("<< /Type /Catalog /Pages 2 0 R /Lang (%s) /ViewerPreferences << /DisplayDocTitle true >>"+
		" /Names << /EmbeddedFiles << /Names [(document.json) %d 0 R (verify.txt) %d 0 R] >> >> /AF [%d 0 R %d 0 R] >>",
		text.Language, size+1, size+3, size+1, size+3))
	table := update.table(size, size+5)
	sum := sha256.Sum256(encoded)
	fmt.Fprintf(&update.out, "trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R /Prev %s /ID [<%X> <%X>] >>\n",
		size+5, size+4, found[2], sum[:16], sum[:16])
	return update.out.Bytes(), fmt.Appendf(nil, "startxref\n%d\n%%%%EOF\n", table), claim, nil
}

// update writes the objects of an incremental update.
type update struct {
	out     bytes.Buffer
	offsets map[int]int // of each object
}

func (u *update) object(number int, body string) {
	u.offsets[number] = u.out.Len()
	fmt.Fprintf(&u.out, "%d 0 obj\n%s\nendobj\n", number, body)
}

// file writes an attached file as two objects and returns where its bytes lie.
func (u *update) file(number int, name, media, relation string, data []byte) span {
	u.offsets[number] = u.out.Len()
	fmt.Fprintf(&u.out, "%d 0 obj\n<< /Type /EmbeddedFile /Subtype /%s /Length %d /Params << /Size %d >> >>\nstream\n",
		number, bytes.ReplaceAll([]byte(media), []byte("/"), []byte("#2F")), len(data), len(data))
	where := span{Offset: u.out.Len(), Length: len(data)}
	u.out.Write(data)
	u.out.WriteString("\nendstream\nendobj\n")
	u.object(number+1, fmt.Sprintf("<< /Type /Filespec /F (%s) /UF (%s) /AFRelationship /%s /EF << /F %d 0 R >> >>",
		name, name, relation, number))
	return where
}

// table writes the cross-reference table of object 1 and of those from first to before end, and returns its offset.
func (u *update) table(first, end int) int {
	offset := u.out.Len()
	fmt.Fprintf(&u.out, "xref\n1 1\n%010d 00000 n \n%d %d\n", u.offsets[1], first, end-first)
	for number := first; number < end; number++ {
		fmt.Fprintf(&u.out, "%010d 00000 n \n", u.offsets[number])
	}
	return offset
}

// hexText returns a PDF text string in UTF-16 (ISO 32000-1, section 7.9.2.2).
func hexText(text string) string {
	out := []byte("<FEFF")
	for _, unit := range utf16.Encode([]rune(text)) {
		out = fmt.Appendf(out, "%04X", unit)
	}
	return string(append(out, '>'))
}

// sealedFile is a file as it was read: nothing is verified yet.
type sealedFile struct {
	token  cwt.Token
	digest []byte // of the file without the line of the seal
}

var errUnsealed = fault.New(fault.Invalid, findingUnsealed.Code, findingUnsealed.Reason)

// readFile finds the seal of a file. No seal gives errUnsealed.
func readFile(file []byte) (sealedFile, error) {
	start := bytes.LastIndex(file, []byte("\n"+sealMark))
	if start < 0 {
		return sealedFile{}, errUnsealed
	}
	start++
	length := bytes.IndexByte(file[start:], '\n')
	if length < 0 || length > 2*maxToken {
		return sealedFile{}, errUnreadable
	}
	encoded := file[start+len(sealMark) : start+length]
	token, err := base64.StdEncoding.Strict().DecodeString(string(encoded))
	if err != nil || base64.StdEncoding.EncodeToString(token) != string(encoded) { // the decoder skips line ends
		return sealedFile{}, errUnreadable
	}
	parsed, err := cwt.Parse(token)
	if err != nil {
		return sealedFile{}, errUnreadable.Because(err)
	}
	digest := sha256.New()
	digest.Write(file[:start])
	digest.Write(file[start+length+1:])
	return sealedFile{token: parsed, digest: digest.Sum(nil)}, nil
}
