package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"text/tabwriter"
	"time"

	"yagona/kernel/ident"
	"yagona/kernel/signature"
	"yagona/store/keyfile"
)

// keyCommand is what an operator does with an installation's keys.
type keyCommand struct {
	List   keyListCommand   `cmd:"" help:"List the signing keys: whose, in whose hands, since when."`
	Rotate keyRotateCommand `cmd:"" help:"Make a new signing key for a holder and end the old one's term; restart the node after it."`
	Trust  keyTrustCommand  `cmd:"" help:"Take up the public key of a person who keeps the private half."`
}

// keyFolder is the installation whose keys they are.
type keyFolder struct {
	Folder string `required:"" type:"existingdir" placeholder:"DIR" help:"The installation's folder."`
}

func (f keyFolder) open() (*keyfile.Folder, error) {
	return keyfile.Open(filepath.Join(f.Folder, "keys"), time.Now)
}

// encodeKey returns a public key as it is printed and typed: base64.
func encodeKey(public ed25519.PublicKey) string { return base64.StdEncoding.EncodeToString(public) }

// decodeKey reads what encodeKey wrote.
func decodeKey(text string) (ed25519.PublicKey, error) {
	public, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(public) != ed25519.PublicKeySize {
		return nil, usageError{fmt.Errorf("%q is not a public key: it is 32 bytes in base64, as yagona key list prints it", text)}
	}
	return public, nil
}

type keyListCommand struct{ keyFolder }

// Run lists the keys.
func (c keyListCommand) Run(terminal terminal) error {
	keys, err := c.open()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(terminal.Out, 0, 0, 2, ' ', 0)
	for _, key := range keys.Keys() {
		until := "in force"
		if !key.Until.IsZero() {
			until = "until " + key.Until.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n",
			key.ID, key.Holder, key.Custody, key.From.UTC().Format(time.RFC3339), until, encodeKey(key.Public))
	}
	return table.Flush()
}

type keyRotateCommand struct {
	keyFolder
	Holder string `arg:"" help:"Whose key: node, agency:NAME."`
}

// Run rotates a key.
func (c keyRotateCommand) Run(terminal terminal) error {
	keys, err := c.open()
	if err != nil {
		return err
	}
	holder, known := signature.Holder(c.Holder), false
	for _, key := range keys.Keys() {
		known = known || key.Holder == holder && key.Custody == signature.HeldByNode
	}
	if !known {
		return usageError{fmt.Errorf("this installation holds no key of %s; yagona key list shows whose it holds", c.Holder)}
	}
	fresh, err := keys.Rotate(holder)
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "%s %s in force since %s\n", fresh.ID, fresh.Holder, fresh.From.UTC().Format(time.RFC3339))
	return nil
}

type keyTrustCommand struct {
	keyFolder
	Person string `arg:"" help:"The person's id in the installation."`
	Public string `arg:"" help:"Their public key, as yagona pack keygen prints it."`
}

// Run takes up a key.
func (c keyTrustCommand) Run(terminal terminal) error {
	public, err := decodeKey(c.Public)
	if err != nil {
		return err
	}
	keys, err := c.open()
	if err != nil {
		return err
	}
	taken, err := keys.Trust(signature.OfPerson(ident.Person(c.Person)), public)
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "%s %s\n", taken.ID, taken.Holder)
	return nil
}
