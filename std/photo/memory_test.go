package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"runtime"
	"testing"
)

// allocated returns how many bytes are allocated while it runs, whether or not they are given back meanwhile.
func allocated(run func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// blank encodes an empty picture of the colour model: few bytes for very many pixels.
func blank(t *testing.T, width, height int, depth color.Model) []byte {
	t.Helper()
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, &empty{image.Rect(0, 0, width, height), depth}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// empty is a picture without any pixel in memory.
type empty struct {
	bounds image.Rectangle
	model  color.Model
}

func (e *empty) ColorModel() color.Model { return e.model }
func (e *empty) Bounds() image.Rectangle { return e.bounds }
func (e *empty) At(int, int) color.Color { return e.model.Convert(color.NRGBA{}) }

// header returns a PNG of which only the header is there.
func header(width, height uint32, depth, kind, interlaced byte) []byte {
	chunk := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	chunk = append(binary.BigEndian.AppendUint32(chunk, height), depth, kind, 0, 0, interlaced)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	return binary.BigEndian.AppendUint32(append(out, chunk...), crc32.ChecksumIEEE(chunk))
}

func TestAPhotoThatWouldFillTheMemoryIsRefusedUnopened(t *testing.T) {
	var frame bytes.Buffer
	if err := jpeg.Encode(&frame, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	progressive := frame.Bytes()
	at := bytes.Index(progressive, []byte{0xff, 0xc0})
	progressive[at+1] = 0xc2
	binary.BigEndian.PutUint16(progressive[at+5:], 7000)
	binary.BigEndian.PutUint16(progressive[at+7:], 7000)
	for what, content := range map[string][]byte{
		"7200 by 7200 of 16 bits":     header(7200, 7200, 16, 6, 0),
		"more pixels than any photo":  header(60_000, 60_000, 8, 2, 0),
		"5000 by 5000, in passes":     header(5000, 5000, 16, 6, 1),
		"a JPEG that comes in stages": progressive,
	} {
		took := allocated(func() {
			if _, err := Redraw(content); !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s: %v", what, err)
			}
		})
		if took > 1<<20 {
			t.Errorf("%s: refusing it allocated %d bytes", what, took)
		}
	}
}

// 4400 by 4400 pixels of 16 bits are 148 MiB, just within the limit.
func TestTheLargestPhotoStaysWithinItsMemory(t *testing.T) {
	content := blank(t, 4400, 4400, color.NRGBA64Model)
	took := allocated(func() {
		if _, err := Redraw(content); err != nil {
			t.Error(err)
		}
	})
	if most := uint64(mostBytes + 32<<20); took > most {
		t.Errorf("it allocated %d bytes, more than %d", took, most)
	}
}
