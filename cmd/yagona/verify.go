package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"yagona/kernel/document"
	"yagona/kernel/signature"
)

// verifyCommand says what a document is worth.
type verifyCommand struct {
	Document    string   `arg:"" help:"A PDF file, a file with the text of a QR code, that text itself, or - for the standard input."`
	Keys        string   `required:"" placeholder:"FILE|URL" help:"The installation's published keys: a copy of /api/v1/keys, or its address."`
	Revocations string   `placeholder:"FILE|URL" help:"Its revocation list: a copy of /api/v1/revocations, or its address."`
	Trust       []string `placeholder:"KEY" help:"The installation's own public key in base64, which you got from somebody you trust."`
	At          moment   `placeholder:"TIME" help:"As of when, like 2026-03-02T15:04:05+05:00; now if it is not given."`
}

// moment is a point in time as it is typed.
type moment struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *moment) UnmarshalText(text []byte) (err error) {
	if m.Time, err = time.Parse(time.RFC3339, string(text)); err != nil {
		return fmt.Errorf("%q is no time: write date, time and time zone like 2026-03-02T15:04:05+05:00", text)
	}
	return nil
}

// signedFile is what the API publishes: the signed token, and for the keys also the keys as they are.
type signedFile struct {
	Token []byte `json:"token"`
	Keys  []struct {
		Holder signature.Holder  `json:"holder"`
		Public ed25519.PublicKey `json:"public"`
	} `json:"keys"`
}

// Run verifies the document. Only a valid one gives the exit code 0.
func (c verifyCommand) Run(ctx context.Context, terminal terminal) error {
	keys, err := c.keys(ctx, terminal)
	if err != nil {
		return err
	}
	var revocations document.RevocationList
	if c.Revocations != "" {
		published, err := readSigned(ctx, c.Revocations)
		if err != nil {
			return err
		}
		if revocations, err = document.ReadRevocationList(published.Token, keys); err != nil {
			return fmt.Errorf("%s: %s", c.Revocations, explain(err))
		}
	}
	content, err := c.content()
	if err != nil {
		return err
	}
	at := c.At.Time
	if at.IsZero() {
		at = time.Now()
	}
	result := document.Verify(content, keys, revocations, at)
	fmt.Fprintf(terminal.Out, "%s: %s\n", strings.ToUpper(string(result.State)), result.Reason)
	for _, warning := range result.Warnings {
		fmt.Fprintf(terminal.Err, "warning: %s\n", warning.Reason)
	}
	if claims := result.Claims; claims != nil {
		fmt.Fprintf(terminal.Out, "%s\nissued by %s@%s on %s, number %s\n", claims.Title, claims.Agency, claims.Node,
			claims.Issued.UTC().Format(time.DateOnly), claims.ID)
		if !claims.Until.IsZero() {
			fmt.Fprintf(terminal.Out, "valid until %s\n", claims.Until.UTC().Format(time.RFC3339))
		}
		for _, fact := range claims.Facts {
			fmt.Fprintf(terminal.Out, "  %s: %s\n", fact.Label, fact.Value)
		}
	}
	if result.State != document.Valid {
		return errSaid
	}
	return nil
}

// keys reads the key set. Without a trusted key it takes the installation's own from the file itself, and says so.
func (c verifyCommand) keys(ctx context.Context, terminal terminal) (document.KeySet, error) {
	published, err := readSigned(ctx, c.Keys)
	if err != nil {
		return document.KeySet{}, err
	}
	var trusted []ed25519.PublicKey
	for _, text := range c.Trust {
		public, err := decodeKey(text)
		if err != nil {
			return document.KeySet{}, err
		}
		trusted = append(trusted, public)
	}
	if len(c.Trust) == 0 {
		for _, key := range published.Keys {
			if key.Holder == signature.Node && len(key.Public) == ed25519.PublicKeySize {
				trusted = append(trusted, key.Public)
				fmt.Fprintf(terminal.Err, "warning: the keys are taken as they came. Ask the installation whether its key is %s, and give it with --trust.\n",
					encodeKey(key.Public))
			}
		}
	}
	set, err := document.ReadKeySet(published.Token, trusted...)
	if err != nil {
		return document.KeySet{}, fmt.Errorf("%s: %s", c.Keys, explain(err))
	}
	return set, nil
}

// mostDocument is how large a document is read.
const mostDocument = 32 << 20

// content returns the document: the named file's content, or the argument itself.
func (c verifyCommand) content() ([]byte, error) {
	if c.Document == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, mostDocument))
	}
	if file, err := os.Open(c.Document); err == nil {
		defer file.Close()
		content, err := io.ReadAll(io.LimitReader(file, mostDocument))
		if err == nil && !strings.HasPrefix(string(content), "%PDF-") {
			content = []byte(strings.TrimSpace(string(content)))
		}
		return content, err
	} else if strings.HasSuffix(strings.ToLower(c.Document), ".pdf") {
		return nil, err
	}
	return []byte(c.Document), nil
}

// readSigned reads what the API publishes from a file or from an address.
func readSigned(ctx context.Context, place string) (signedFile, error) {
	content, err := readPlace(ctx, place)
	if err != nil {
		return signedFile{}, err
	}
	var published signedFile
	if err := json.Unmarshal(content, &published); err != nil || len(published.Token) == 0 {
		return signedFile{}, fmt.Errorf("%s is not what an installation publishes: it has no signed token; download it again", place)
	}
	return published, nil
}

// readPlace returns the content of a file or of an address.
func readPlace(ctx context.Context, place string) ([]byte, error) {
	if !isAddress(place) {
		return os.ReadFile(place)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, usageError{err}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", place, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, mostDocument))
}

// isAddress tells an address from a file.
func isAddress(place string) bool {
	return strings.HasPrefix(place, "https://") || strings.HasPrefix(place, "http://")
}
