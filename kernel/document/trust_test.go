package document

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/signature"
)

func TestKeySetTravels(t *testing.T) {
	ring := newKeyring()
	want := change(ring.keySet(), "agency:other-agency", func(k *PublishedKey) {
		k.Until, k.Withdrawn = exampleIssued.Add(time.Hour), exampleIssued.Add(2*time.Hour)
		k.Custody = signature.HeldByHolder
	})
	token, err := want.Sign(t.Context(), ring)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadKeySet(token, ring.public("agency:other-agency"), ring.public(signature.Node))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// The next set is trusted because this one is.
	if _, err := ReadKeySet(token, got.NodeKeys()...); err != nil {
		t.Error(err)
	}
}

func TestKeysOfPeopleAreNotPublished(t *testing.T) {
	keys := []signature.Key{{ID: "1", Holder: signature.Node}, {ID: "2", Holder: "person:x"}, {ID: "3", Holder: "agency:y"}}
	var ids string
	for _, key := range NewKeySet(exampleNode, keys, exampleIssued, exampleIssued.Add(time.Hour)).Keys {
		ids += key.ID
	}
	if ids != "13" {
		t.Errorf("published: %s", ids)
	}
}

func TestRevocationListTravels(t *testing.T) {
	ring := newKeyring()
	list := exampleList("019c8f5e-6c00-7a10-8f00-00000000c0df", exampleID) // not in order
	list.Revoked[1].Suspended = true
	token, err := list.Sign(t.Context(), ring)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadRevocationList(token, ring.keySet())
	if err != nil {
		t.Fatal(err)
	}
	want := exampleList(exampleID, "019c8f5e-6c00-7a10-8f00-00000000c0df")
	want.Revoked[0].Suspended = true
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPublishedFilesThatAreNotTrusted(t *testing.T) {
	ring := newKeyring()
	keys := ring.keySet()
	set, err := keys.Sign(t.Context(), ring)
	if err != nil {
		t.Fatal(err)
	}
	list, err := exampleList(exampleID).Sign(t.Context(), ring)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(name string, err error) {
		t.Helper()
		if fault.Code(err) != "document.untrusted" {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = ReadKeySet(set)
	refused("no trusted key", err)
	_, err = ReadKeySet(set, ring.public("agency:youth-agency"))
	refused("a set signed by another key", err)
	_, err = ReadKeySet(list, ring.public(signature.Node))
	refused("a list as a set", err)
	_, err = ReadRevocationList(set, keys)
	refused("a set as a list", err)
	_, err = ReadRevocationList(nil, keys)
	refused("nothing", err)
	_, err = ReadRevocationList(list, KeySet{Node: "other.example", Keys: keys.Keys})
	refused("the list of another node", err)
	_, err = ReadRevocationList(list, change(keys, signature.Node, func(k *PublishedKey) { k.Withdrawn = exampleIssued }))
	refused("a list signed by a stolen key", err)
	_, err = ReadRevocationList(list, change(keys, signature.Node, func(k *PublishedKey) { k.Holder = "agency:node" }))
	refused("a list signed by an agency", err)
	for i := range list {
		changed := bytes.Clone(list)
		changed[i] ^= 1
		_, err := ReadRevocationList(changed, keys)
		refused("a changed list", err)
	}
}

func TestUndatedFilesAreNotSigned(t *testing.T) {
	list := exampleList()
	list.Next = list.Issued
	if _, err := list.Sign(t.Context(), newKeyring()); !fault.Is(err, fault.Internal) {
		t.Errorf("a list without a term: %v", err)
	}
	list = exampleList()
	list.Node = ""
	if _, err := list.Sign(t.Context(), newKeyring()); !fault.Is(err, fault.Internal) {
		t.Errorf("a list of no node: %v", err)
	}
}

// A list of ten thousand revoked documents is small enough to be kept on a phone.
func TestSizeOfARevocationList(t *testing.T) {
	var ids []ident.Document
	for i := range 10_000 {
		ids = append(ids, ident.New[ident.Document](exampleIssued.Add(time.Duration(i)*time.Second)))
	}
	token, err := exampleList(ids...).Sign(t.Context(), newKeyring())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("10,000 revoked documents: %d bytes", len(token))
	if len(token) > 250_000 {
		t.Errorf("%d bytes are more than 25 for each document", len(token))
	}
	list, err := ReadRevocationList(token, newKeyring().keySet())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if one, found := list.find(id); !found || !one.At.Equal(exampleIssued) {
			t.Fatalf("%s is not found", id)
		}
	}
}
