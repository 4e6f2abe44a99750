package document

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/signature"
	"yagona/std/cwt"
)

// KeySet is the published keys of an installation, dated, for verifying offline. It travels as a token signed with the
// installation's own key.
type KeySet struct {
	Node   string    // the installation
	Issued time.Time // when the set was made
	Next   time.Time // when the next one is due: later, this one is stale
	Keys   []PublishedKey
}

// PublishedKey is a key that signs or signed documents.
type PublishedKey struct {
	signature.Key
	// Withdrawn is when the key was found to be in other hands; nothing that it ever signed counts. Zero: it is trusted.
	Withdrawn time.Time
}

// NewKeySet returns a key set of those keys that documents and published files are signed with: the node's and the
// agencies'. Keys of people are left out: their holders' ids are nobody else's business.
func NewKeySet(node string, keys []signature.Key, issued, next time.Time) KeySet {
	set := KeySet{Node: node, Issued: issued, Next: next}
	for _, key := range keys {
		if key.Holder == signature.Node || strings.HasPrefix(string(key.Holder), agencyHolder) {
			set.Keys = append(set.Keys, PublishedKey{Key: key})
		}
	}
	return set
}

// agencyHolder is how the holders that agencies are begin.
var agencyHolder = string(signature.OfAgency(""))

// Key returns the key with the id, and whether the set has it.
func (s KeySet) Key(id string) (PublishedKey, bool) {
	for _, key := range s.Keys {
		if key.ID == id {
			return key, true
		}
	}
	return PublishedKey{}, false
}

// RevocationList is the documents of an installation that were revoked before they expired, dated, for verifying
// offline. It tells ids and times, no reasons. It travels as a token signed with the installation's own key.
type RevocationList struct {
	Node    string
	Issued  time.Time    // what was revoked later is not in it
	Next    time.Time    // when the next one is due: later, this one is stale
	Revoked []Revocation // in order of ids
}

// Revocation is one revoked document.
type Revocation struct {
	ID        ident.Document
	At        time.Time
	Suspended bool // not for good: it documents a licence that is suspended
}

// find returns the document's revocation, and whether there is one.
func (l RevocationList) find(id ident.Document) (Revocation, bool) {
	i, found := slices.BinarySearchFunc(l.Revoked, id, func(entry Revocation, id ident.Document) int {
		return cmp.Compare(entry.ID, id)
	})
	if !found {
		return Revocation{}, false
	}
	return l.Revoked[i], true
}

type keyClaim struct {
	_         struct{} `cbor:",toarray"`
	Public    []byte
	Holder    string
	Custody   string
	From      int64 // seconds since 1970
	Until     int64 // 0: in force
	Withdrawn int64 // 0: trusted
}

type revocationClaim struct {
	_         struct{} `cbor:",toarray"`
	ID        []byte   // 16 bytes
	At        int64    // seconds since 1970
	Suspended bool
}

// Sign returns the key set as a token signed by the node's key. Times are cut to seconds, ids follow from the keys.
func (s KeySet) Sign(ctx context.Context, signer Signer) ([]byte, error) {
	keys := make([]keyClaim, len(s.Keys))
	for i, key := range s.Keys {
		keys[i] = keyClaim{
			Public: key.Public, Holder: string(key.Holder), Custody: string(key.Custody),
			From: seconds(key.From), Until: seconds(key.Until), Withdrawn: seconds(key.Withdrawn),
		}
	}
	return signDated(ctx, signer, s.Node, s.Issued, s.Next, claimKeySet, keys)
}

// ReadKeySet reads a signed key set. It must be signed by one of the trusted keys: the node's key that the verifier got
// by a way of their own, or a node's key of a set that they read before (KeySet.NodeKeys). What is not gives a fault.
func ReadKeySet(token []byte, trusted ...ed25519.PublicKey) (KeySet, error) {
	var claims []keyClaim
	dated, err := readDated(token, claimKeySet, &claims, trusted)
	if err != nil {
		return KeySet{}, err
	}
	set := KeySet{Node: dated.Issuer, Issued: dated.IssuedAt, Next: dated.Expires}
	for _, claim := range claims {
		if len(claim.Public) != ed25519.PublicKeySize {
			return KeySet{}, errUntrusted
		}
		set.Keys = append(set.Keys, PublishedKey{
			Key: signature.Key{
				ID: signature.KeyID(claim.Public), Holder: signature.Holder(claim.Holder), Public: claim.Public,
				Custody: signature.Custody(claim.Custody), From: moment(claim.From), Until: moment(claim.Until),
			},
			Withdrawn: moment(claim.Withdrawn),
		})
	}
	return set, nil
}

// NodeKeys returns the keys of the node itself that are trusted: they sign later key sets and the revocation lists.
func (s KeySet) NodeKeys() []ed25519.PublicKey {
	var keys []ed25519.PublicKey
	for _, key := range s.Keys {
		if key.Holder == signature.Node && key.Withdrawn.IsZero() {
			keys = append(keys, key.Public)
		}
	}
	return keys
}

// Sign returns the revocation list as a token signed by the node's key.
func (l RevocationList) Sign(ctx context.Context, signer Signer) ([]byte, error) {
	revoked := make([]revocationClaim, len(l.Revoked))
	for i, entry := range l.Revoked {
		id, err := uuid.Parse(string(entry.ID))
		if err != nil {
			return nil, err
		}
		revoked[i] = revocationClaim{ID: id[:], At: entry.At.Unix(), Suspended: entry.Suspended}
	}
	slices.SortFunc(revoked, func(a, b revocationClaim) int { return slices.Compare(a.ID, b.ID) })
	return signDated(ctx, signer, l.Node, l.Issued, l.Next, claimRevocations, revoked)
}

// ReadRevocationList reads a signed revocation list. It must be signed by a node's key of the key set.
func ReadRevocationList(token []byte, keys KeySet) (RevocationList, error) {
	var claims []revocationClaim
	dated, err := readDated(token, claimRevocations, &claims, keys.NodeKeys())
	if err != nil {
		return RevocationList{}, err
	}
	if dated.Issuer != keys.Node {
		return RevocationList{}, errUntrusted
	}
	list := RevocationList{Node: dated.Issuer, Issued: dated.IssuedAt, Next: dated.Expires}
	for _, claim := range claims {
		id, err := uuid.FromBytes(claim.ID)
		if err != nil {
			return RevocationList{}, errUntrusted.Because(err)
		}
		list.Revoked = append(list.Revoked, Revocation{ident.Document(id.String()), moment(claim.At), claim.Suspended})
	}
	if !slices.IsSortedFunc(list.Revoked, func(a, b Revocation) int { return cmp.Compare(a.ID, b.ID) }) {
		return RevocationList{}, errUntrusted
	}
	return list, nil
}

var errUntrusted = fault.New(fault.Forbidden, "document.untrusted",
	"This file is not signed by the installation whose key you trust. Download it again from the installation itself.")

func signDated(
	ctx context.Context, signer Signer, node string, issued, next time.Time, number int64, value any,
) ([]byte, error) {
	if !isNode(node) || !next.After(issued) {
		return nil, fault.New(fault.Internal, "document.undated", "A published file needs a node and two times.")
	}
	private, err := cwt.Marshal(value)
	if err != nil {
		return nil, err
	}
	return sign(ctx, signer, signature.Node, cwt.Claims{
		Issuer: node, IssuedAt: issued.UTC().Truncate(time.Second), Expires: next.UTC().Truncate(time.Second),
		Others: map[int64]cwt.Encoded{number: private},
	})
}

func readDated(token []byte, number int64, value any, trusted []ed25519.PublicKey) (cwt.Claims, error) {
	parsed, err := cwt.Parse(token)
	if err != nil {
		return cwt.Claims{}, errUntrusted.Because(err)
	}
	for _, key := range trusted {
		if hex.EncodeToString(parsed.KeyID) != signature.KeyID(key) {
			continue
		}
		if err := parsed.Verify(key); err != nil {
			return cwt.Claims{}, errUntrusted.Because(err)
		}
		if err := only(parsed, number, value); err != nil {
			return cwt.Claims{}, errUntrusted.Because(err)
		}
		return parsed.Claims, nil
	}
	return cwt.Claims{}, errUntrusted
}

func seconds(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.Unix()
}

func moment(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
