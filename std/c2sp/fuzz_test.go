package c2sp_test

import (
	"bytes"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"yagona/std/c2sp"
)

// What a reader accepts, it writes back byte for byte.

func FuzzParseCheckpoint(f *testing.F) {
	f.Add(exampleText)
	f.Add(exampleText + "extension\n")
	f.Add("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
	f.Fuzz(func(t *testing.T, text string) {
		if checkpoint, err := c2sp.ParseCheckpoint(text); err == nil && checkpoint.String() != text {
			t.Errorf("%q is written back as %q", text, checkpoint)
		}
	})
}

func FuzzParsePath(f *testing.F) {
	f.Add("tile/entries/x001/234.p/17")
	f.Add("tile/63/x001/x234/067")
	f.Fuzz(func(t *testing.T, path string) {
		tile, err := c2sp.ParsePath(path)
		if err != nil {
			return
		}
		if c2sp.Path(tile) != path {
			t.Errorf("%q is written back as %q", path, c2sp.Path(tile))
		}
		if tile.N < 0 || tile.L < c2sp.EntriesLevel || tile.L > 63 || tile.W < 1 || tile.W > c2sp.TileWidth {
			t.Errorf("%q is the impossible tile %+v", path, tile)
		}
	})
}

func FuzzParseEntries(f *testing.F) {
	f.Add([]byte("\x00\x03one\x00\x00"))
	f.Fuzz(func(t *testing.T, bundle []byte) {
		entries, err := c2sp.ParseEntries(bundle)
		if err != nil {
			return
		}
		var back []byte
		for _, entry := range entries {
			if back, err = c2sp.AppendEntry(back, entry); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(back, bundle) {
			t.Errorf("%q is written back as %q", bundle, back)
		}
	})
}

func FuzzParseAddCheckpoint(f *testing.F) {
	f.Add([]byte(exampleRequest))
	f.Add([]byte("old 0\n\n" + exampleText + "\n" + exampleLog))
	f.Fuzz(func(t *testing.T, body []byte) {
		if request, err := c2sp.ParseAddCheckpoint(body); err == nil && !bytes.Equal(request.Bytes(), body) {
			t.Errorf("%q is written back as %q", body, request.Bytes())
		}
	})
}

func FuzzParseProof(f *testing.F) {
	f.Add([]byte("c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 1\n\n" + exampleText + "\n" + exampleLog))
	f.Fuzz(func(t *testing.T, text []byte) {
		if proof, err := c2sp.ParseProof(text); err == nil && !bytes.Equal(proof.Bytes(), text) {
			t.Errorf("%q is written back as %q", text, proof.Bytes())
		}
	})
}

func FuzzParseSize(f *testing.F) {
	f.Add([]byte("20852163\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if size, err := c2sp.ParseSize(body); err == nil && c2sp.FormatSize(size) != string(body) {
			t.Errorf("%q is written back as %q", body, c2sp.FormatSize(size))
		}
	})
}

// A cosignature that is accepted is the witness's own, whatever stands around it.
func FuzzParseCosignature(f *testing.F) {
	log, logKey := newLog(f, "example.com/behind-the-sofa")
	one, oneKey := newWitness(f, "witness.example/one", time.Unix(1679315147, 0))
	signed := sign(f, exampleText, log)
	f.Add(sign(f, exampleText, one)[len(exampleText)+1:])
	f.Add([]byte("— witness.example.com/w1 " + exampleCosignature + "\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		signature, err := c2sp.ParseCosignature(signed, body, oneKey)
		if err != nil {
			return
		}
		_, cosignatures, err := c2sp.Open(c2sp.Append(signed, signature), logKey, oneKey)
		if err != nil || len(cosignatures) != 1 {
			t.Errorf("%q gave a cosignature that does not verify: %v", body, err)
		}
	})
}

func FuzzKeys(f *testing.F) {
	_, oneKey := newWitness(f, "witness.example/one", time.Unix(0, 0))
	one, _ := newWitness(f, "witness.example/one", time.Unix(0, 0))
	f.Add(one.VerifierKey())
	f.Add("PRIVATE+KEY+" + oneKey.Name() + "+00000000+BA==")
	f.Fuzz(func(t *testing.T, text string) {
		if key, err := c2sp.NewCosignatureVerifier(text); err == nil && key.Name() == "" {
			t.Errorf("%q is a key without a name", text)
		}
		if key, err := c2sp.NewCosigner(text, time.Now); err == nil {
			if _, err := c2sp.NewCosignatureVerifier(key.VerifierKey()); err != nil {
				t.Errorf("the public key of %q: %v", text, err)
			}
		}
		if at, err := c2sp.CosignatureTime(note.Signature{Base64: text}); err == nil && at.Unix() < 0 {
			t.Errorf("%q was made before 1970", text)
		}
	})
}
