package c2sp_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"yagona/std/c2sp"
)

// The example of tlog-checkpoint v1.0.0, with the cosignature that tlog-cosignature v1.0.1 adds to it. The
// specifications publish no keys for them: what can be checked is the framing, the key ids and the time.
const (
	exampleText = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
	exampleLog  = "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/" +
		"Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
	exampleCosignature = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+" +
		"mbIUBkBIfZ+qnA=="
	exampleRequest = "old 20852014\n" +
		"PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n" +
		"jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n" +
		"5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n" +
		"/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n" +
		"\n" + exampleText + "\n" + exampleLog
)

func TestCheckpointExample(t *testing.T) {
	checkpoint, err := c2sp.ParseCheckpoint(exampleText)
	if err != nil {
		t.Fatal(err)
	}
	root, err := tlog.ParseHash("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
	if err != nil {
		t.Fatal(err)
	}
	want := c2sp.Checkpoint{Origin: "example.com/behind-the-sofa", Tree: tlog.Tree{N: 20852163, Hash: root}}
	if diff := cmp.Diff(want, checkpoint); diff != "" {
		t.Error(diff)
	}
	if got := checkpoint.String(); got != exampleText {
		t.Errorf("written back as %q", got)
	}
}

func TestCheckpointRefused(t *testing.T) {
	const root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
	for name, text := range map[string]string{
		"nothing":                 "",
		"no final newline":        "origin\n1\n" + root,
		"two lines":               "origin\n1\n",
		"no origin":               "\n1\n" + root + "\n",
		"leading zero":            "origin\n01\n" + root + "\n",
		"sign":                    "origin\n+1\n" + root + "\n",
		"negative":                "origin\n-1\n" + root + "\n",
		"over 63 bits":            "origin\n9223372036854775808\n" + root + "\n",
		"over 2^62":               "origin\n4611686018427387905\n" + root + "\n",
		"short root":              "origin\n1\nCsUY\n",
		"root with a return":      "origin\n1\n" + root + "\r\n",
		"root with stray bits":    "origin\n1\n" + strings.Replace(root, "2I=", "2J=", 1) + "\n",
		"empty extension":         "origin\n1\n" + root + "\n\n",
		"empty extension between": "origin\n1\n" + root + "\n\nmore\n",
	} {
		if got, err := c2sp.ParseCheckpoint(text); err == nil {
			t.Errorf("%s: accepted as %+v", name, got)
		}
	}
}

// The largest tree that is read is one whose proofs end: x/mod's do not for a larger one.
func TestLargestTree(t *testing.T) {
	checkpoint, err := c2sp.ParseCheckpoint("origin\n4611686018427387904\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")
	if err != nil {
		t.Fatal(err)
	}
	proof := make(tlog.TreeProof, 62)
	if err := tlog.CheckTree(proof, checkpoint.Tree.N, checkpoint.Tree.Hash, 1, tlog.Hash{}); err == nil {
		t.Error("an invented proof is accepted")
	}
}

func TestPaths(t *testing.T) {
	for path, want := range map[string]tlog.Tile{
		"tile/0/000":                {H: 8, L: 0, N: 0, W: 256},
		"tile/0/x001/x234/067":      {H: 8, L: 0, N: 1234067, W: 256}, // the example of tlog-tiles
		"tile/1/x001/234.p/17":      {H: 8, L: 1, N: 1234, W: 17},
		"tile/63/999":               {H: 8, L: 63, N: 999, W: 256},
		"tile/entries/000":          {H: 8, L: -1, N: 0, W: 256},
		"tile/entries/x001/234.p/1": {H: 8, L: -1, N: 1234, W: 1},
	} {
		got, err := c2sp.ParsePath(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		if back := c2sp.Path(want); back != path {
			t.Errorf("%+v is written as %s", want, back)
		}
	}
	for _, path := range []string{
		"", "tile", "tile/0", "tile/0/", "/tile/0/000", "tile/0/0", "tile/0/0000", "tile/0/001/234", "tile/0/x001",
		"tile/00/000", "tile/64/000", "tile/-1/000", "tile/+1/000", "tile/data/000", "tile/8/0/000", "tile/0/x000/001",
		"tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p", "tile/0/-01",
		"tile/entries/../000", "tile/0/000/", "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
	} {
		if got, err := c2sp.ParsePath(path); err == nil {
			t.Errorf("%q: accepted as %+v", path, got)
		}
	}
}

// A tree of 70,000 entries is the example of tlog-tiles, "Partial Tiles"; one of 256 the second.
func TestTilesOfTree(t *testing.T) {
	count := func(size int64) map[string]int {
		tiles := map[string]int{}
		for level := 0; ; level++ {
			if c2sp.Hashes(level, size) == 0 {
				return tiles
			}
			for n := int64(0); ; n += c2sp.TileWidth {
				tile, ok := c2sp.TileOf(level, n, size)
				if !ok {
					break
				}
				tiles[fmt.Sprintf("level %d width %d", level, tile.W)]++
			}
		}
	}
	if diff := cmp.Diff(map[string]int{
		"level 0 width 256": 273, "level 0 width 112": 1,
		"level 1 width 256": 1, "level 1 width 17": 1,
		"level 2 width 1": 1,
	}, count(70_000)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{"level 0 width 256": 1, "level 1 width 1": 1}, count(256)); diff != "" {
		t.Error(diff)
	}
	if _, ok := c2sp.TileOf(0, 5, 5); ok {
		t.Error("a tree of 5 has no hash number 5")
	}
}

func TestEntries(t *testing.T) {
	var bundle []byte
	entries := [][]byte{[]byte("one"), {}, bytes.Repeat([]byte("x"), 65535)}
	for _, entry := range entries {
		var err error
		if bundle, err = c2sp.AppendEntry(bundle, entry); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.HasPrefix(bundle, []byte("\x00\x03one\x00\x00\xff\xff")) {
		t.Errorf("the bundle starts with %q", bundle[:10])
	}
	got, err := c2sp.ParseEntries(bundle)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(entries, got); diff != "" {
		t.Error(diff)
	}
	if _, err := c2sp.AppendEntry(nil, make([]byte, 65536)); err == nil {
		t.Error("an entry of 65,536 bytes does not fit")
	}
	for name, bad := range map[string][]byte{
		"empty":            {},
		"half a length":    {0},
		"too short":        bundle[:len(bundle)-1],
		"over 256 entries": make([]byte, 2*257),
	} {
		if _, err := c2sp.ParseEntries(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestCosignatureExample(t *testing.T) {
	raw, err := base64.StdEncoding.DecodeString(exampleCosignature)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) != 4+8+64 || !bytes.HasPrefix(raw, []byte("\x8d\x66\xcf\x3f")) {
		t.Errorf("the example is framed otherwise: %x", raw)
	}
	at, err := c2sp.CosignatureTime(note.Signature{Name: "witness.example.com/w1", Base64: exampleCosignature})
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Unix(1679315147, 0); !at.Equal(want) { // the time line of the specification's signed message
		t.Errorf("made at %s, want %s", at, want)
	}
	if _, err := c2sp.CosignatureTime(note.Signature{Base64: "Az3grg=="}); err == nil {
		t.Error("a signature without time is accepted")
	}
}

// newLog returns a log's signer and verifier.
func newLog(t testing.TB, origin string) (note.Signer, note.Verifier) {
	t.Helper()
	private, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

func newWitness(t testing.TB, name string, at time.Time) (*c2sp.Cosigner, *c2sp.CosignatureVerifier) {
	t.Helper()
	private, public, err := c2sp.GenerateCosigner(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := c2sp.NewCosigner(private, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	if signer.VerifierKey() != public {
		t.Fatalf("the key is %s and %s", public, signer.VerifierKey())
	}
	verifier, err := c2sp.NewCosignatureVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

func sign(t testing.TB, text string, signers ...note.Signer) []byte {
	t.Helper()
	signed, err := note.Sign(&note.Note{Text: text}, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestOpen(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	log, logKey := newLog(t, "example.com/behind-the-sofa")
	other, _ := newLog(t, "example.com/behind-the-sofa")
	one, oneKey := newWitness(t, "witness.example/one", at)
	two, twoKey := newWitness(t, "witness.example/two", at)

	t.Run("signed and cosigned", func(t *testing.T) {
		checkpoint, cosignatures, err := c2sp.Open(sign(t, exampleText, log, one, other), logKey, oneKey, twoKey)
		if err != nil {
			t.Fatal(err)
		}
		if checkpoint.String() != exampleText {
			t.Errorf("opened %q", checkpoint)
		}
		if len(cosignatures) != 1 || cosignatures[0].Name != "witness.example/one" {
			t.Fatalf("cosigned by %v", cosignatures)
		}
		made, err := c2sp.CosignatureTime(cosignatures[0])
		if err != nil || !made.Equal(at) {
			t.Errorf("cosigned at %s: %v", made, err)
		}
	})
	t.Run("a witness who signs twice counts once", func(t *testing.T) {
		signed := sign(t, exampleText, log, one)
		line := signed[bytes.LastIndex(signed, []byte("—")):]
		_, cosignatures, err := c2sp.Open(append(signed, line...), logKey, oneKey)
		if err != nil || len(cosignatures) != 1 {
			t.Errorf("%d cosignatures: %v", len(cosignatures), err)
		}
	})
	for name, signed := range map[string][]byte{
		"not signed by the log":      sign(t, exampleText, one, two),
		"signed by another key":      sign(t, exampleText, other),
		"another origin":             sign(t, strings.Replace(exampleText, "sofa", "chair", 1), log),
		"not a checkpoint":           sign(t, "example.com/behind-the-sofa\n", log),
		"changed after signing":      bytes.Replace(sign(t, exampleText, log), []byte("20852163"), []byte("20852164"), 1),
		"a cosignature of something": append(sign(t, exampleText, log), sign(t, "x\n", one)[3:]...),
	} {
		if checkpoint, _, err := c2sp.Open(signed, logKey, oneKey, twoKey); err == nil {
			t.Errorf("%s: accepted as %q", name, checkpoint)
		}
	}
}

func TestSignEqualsNote(t *testing.T) {
	log, logKey := newLog(t, "example.com/behind-the-sofa")
	checkpoint, err := c2sp.ParseCheckpoint(exampleText)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := log.Sign([]byte(exampleText))
	if err != nil {
		t.Fatal(err)
	}
	got := c2sp.Sign(checkpoint, logKey.Name(), logKey.KeyHash(), signature)
	if diff := cmp.Diff(string(sign(t, exampleText, log)), string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestCosignerKeys(t *testing.T) {
	private, public, err := c2sp.GenerateCosigner(rand.Reader, "witness.example/one")
	if err != nil {
		t.Fatal(err)
	}
	log, logPublic, err := note.GenerateKey(rand.Reader, "witness.example/one")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c2sp.NewCosigner(log, time.Now); err != nil {
		t.Errorf("a plain Ed25519 key as note.GenerateKey writes it: %v", err)
	}
	if _, err := c2sp.NewCosignatureVerifier(logPublic); err == nil {
		t.Error("the key of a log is taken for that of a witness")
	}
	for _, bad := range []string{"", "PRIVATE+KEY+", strings.Replace(private, "one", "two", 1), private[:len(private)-4], public} {
		if _, err := c2sp.NewCosigner(bad, time.Now); err == nil {
			t.Errorf("private key %q is accepted", bad)
		}
	}
	for _, bad := range []string{"", "a+b", strings.Replace(public, "one", "two", 1), public[:len(public)-4], private} {
		if _, err := c2sp.NewCosignatureVerifier(bad); err == nil {
			t.Errorf("public key %q is accepted", bad)
		}
	}
	for _, name := range []string{"", "a b", "a+b", "a\nb", "\xff"} {
		if _, _, err := c2sp.GenerateCosigner(rand.Reader, name); err == nil {
			t.Errorf("name %q is accepted", name)
		}
	}
}

func TestAddCheckpointExample(t *testing.T) {
	request, err := c2sp.ParseAddCheckpoint([]byte(exampleRequest))
	if err != nil {
		t.Fatal(err)
	}
	if request.Old != 20852014 || len(request.Proof) != 4 || string(request.Checkpoint) != exampleText+"\n"+exampleLog {
		t.Errorf("read as %+v", request)
	}
	if diff := cmp.Diff(exampleRequest, string(request.Bytes())); diff != "" {
		t.Error(diff)
	}
	hash := "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
	for name, body := range map[string]string{
		"empty":          "",
		"no old size":    hash + "\n" + exampleText + "\n" + exampleLog,
		"leading zero":   strings.Replace(exampleRequest, "old ", "old 0", 1),
		"64 hashes":      "old 1\n" + strings.Repeat(hash, 64) + "\n" + exampleText + "\n" + exampleLog,
		"a broken hash":  strings.Replace(exampleRequest, "PlRN", "Pl!N", 1),
		"no checkpoint":  "old 1\n\n",
		"no signature":   "old 1\n\n" + exampleText,
		"no empty line":  "old 1\n" + exampleText + "\n" + exampleLog,
		"no last return": strings.TrimSuffix(exampleRequest, "\n"),
	} {
		if got, err := c2sp.ParseAddCheckpoint([]byte(body)); err == nil {
			t.Errorf("%s: accepted as %+v", name, got)
		}
	}
}

func TestParseCosignature(t *testing.T) {
	log, logKey := newLog(t, "example.com/behind-the-sofa")
	one, oneKey := newWitness(t, "witness.example/one", time.Unix(1679315147, 0))
	two, _ := newWitness(t, "witness.example/two", time.Unix(1679315147, 0))
	signed := sign(t, exampleText, log)
	lines := func(signers ...note.Signer) []byte { return sign(t, exampleText, signers...)[len(exampleText)+1:] }

	signature, err := c2sp.ParseCosignature(signed, lines(two, one), oneKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, cosignatures, err := c2sp.Open(c2sp.Append(signed, signature), logKey, oneKey); err != nil || len(cosignatures) != 1 {
		t.Errorf("%d cosignatures: %v", len(cosignatures), err)
	}
	other := sign(t, strings.Replace(exampleText, "63", "64", 1), one)
	for name, body := range map[string][]byte{
		"empty":                     nil,
		"another witness":           lines(two),
		"of another checkpoint":     other[len(exampleText)+1:],
		"a whole note":              sign(t, exampleText, one),
		"an empty line and a valid": append([]byte("\n"), lines(one)...),
		"text":                      []byte("thank you\n"),
	} {
		if got, err := c2sp.ParseCosignature(signed, body, oneKey); err == nil {
			t.Errorf("%s: accepted as %+v", name, got)
		}
	}
}

func TestSize(t *testing.T) {
	if got, err := c2sp.ParseSize([]byte(c2sp.FormatSize(20852163))); err != nil || got != 20852163 {
		t.Errorf("%d, %v", got, err)
	}
	for _, bad := range []string{"", "1", "1\n\n", "01\n", "-1\n", "one\n"} {
		if got, err := c2sp.ParseSize([]byte(bad)); err == nil {
			t.Errorf("%q: accepted as %d", bad, got)
		}
	}
}

func TestProof(t *testing.T) {
	log, logKey := newLog(t, "example.com/behind-the-sofa")
	one, oneKey := newWitness(t, "witness.example/one", time.Unix(1679315147, 0))
	_, twoKey := newWitness(t, "witness.example/two", time.Unix(1679315147, 0))
	left, right := []byte("left"), []byte("right")
	leftHash, rightHash := tlog.RecordHash(left), tlog.RecordHash(right)
	checkpoint := c2sp.Checkpoint{
		Origin: log.Name(), Tree: tlog.Tree{N: 2, Hash: tlog.NodeHash(leftHash, rightHash)},
	}
	proof := c2sp.Proof{
		Extra: []byte("extra"), Index: 1, Hashes: tlog.RecordProof{leftHash},
		Checkpoint: sign(t, checkpoint.String(), log, one),
	}
	if !bytes.HasPrefix(proof.Bytes(), []byte("c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 1\n")) {
		t.Errorf("written as %s", proof.Bytes())
	}
	read, err := c2sp.ParseProof(proof.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(proof, read); diff != "" {
		t.Error(diff)
	}
	witnesses := []note.Verifier{oneKey, twoKey}
	if _, err := read.Verify(right, logKey, witnesses, 1); err != nil {
		t.Error(err)
	}
	if _, err := read.Verify(left, logKey, witnesses, 1); err == nil {
		t.Error("another entry verifies")
	}
	if _, err := read.Verify(right, logKey, witnesses, 2); err == nil {
		t.Error("one witness of two is taken for a quorum of two")
	}
	for _, index := range []int64{0, 2, 1 << 40} {
		read.Index = index
		if _, err := read.Verify(right, logKey, witnesses, 1); err == nil {
			t.Errorf("index %d verifies", index)
		}
	}
	text := string(proof.Bytes())
	for name, bad := range map[string]string{
		"empty":           "",
		"another version": strings.Replace(text, "@v1", "@v2", 1),
		"no index":        strings.Replace(text, "index 1\n", "", 1),
		"header only":     "c2sp.org/tlog-proof@v1\n\n",
		"extra only":      "c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\n\n",
		"leading zero":    strings.Replace(text, "index 1", "index 01", 1),
		"empty extra":     strings.Replace(text, "ZXh0cmE=", "", 1),
		"no signature":    "c2sp.org/tlog-proof@v1\nindex 1\n\n" + exampleText,
	} {
		if got, err := c2sp.ParseProof([]byte(bad)); err == nil {
			t.Errorf("%s: accepted as %+v", name, got)
		}
	}
}
