package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

// corners is a picture, 80 by 40, with a red upper left and a blue upper right quarter on white.
func corners() *image.RGBA {
	picture := image.NewRGBA(image.Rect(0, 0, 80, 40))
	for y := range 40 {
		for x := range 80 {
			shade := color.RGBA{255, 255, 255, 255}
			switch {
			case y < 20 && x < 40:
				shade = color.RGBA{255, 0, 0, 255}
			case y < 20:
				shade = color.RGBA{0, 0, 255, 255}
			}
			picture.Set(x, y, shade)
		}
	}
	return picture
}

// held returns the picture as a camera writes it, with an Exif segment that names an orientation, a place and a device.
func held(t *testing.T, order binary.AppendByteOrder, mark string, orientation uint16) []byte {
	t.Helper()
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, corners(), nil); err != nil {
		t.Fatal(err)
	}
	tiff := order.AppendUint16([]byte(mark), 42)
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, one := range [][2]uint16{{271, 7}, {274, orientation}} {
		tiff = order.AppendUint16(tiff, one[0])
		tiff = order.AppendUint16(tiff, 3)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, one[1])
		tiff = order.AppendUint16(tiff, 0)
	}
	segment := append([]byte("Exif\x00\x00"), append(tiff, "41.311081N 69.240562E, camera of somebody"...)...)
	out := append([]byte{}, plain.Bytes()[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(segment)+2))
	return append(append(out, segment...), plain.Bytes()[2:]...)
}

// look says which of the picture's quarters are red and blue: "red blue / . ." is the upright one.
func look(t *testing.T, content []byte) string {
	t.Helper()
	picture, kind, err := image.Decode(bytes.NewReader(content))
	if err != nil || kind != "jpeg" {
		t.Fatalf("it is a %s: %v", kind, err)
	}
	size := picture.Bounds().Size()
	var words []string
	for _, at := range [][2]int{{1, 1}, {3, 1}, {1, 3}, {3, 3}} {
		r, _, b, _ := picture.At(size.X*at[0]/4, size.Y*at[1]/4).RGBA()
		switch {
		case r > 0xc000 && b < 0x4000:
			words = append(words, "red")
		case b > 0xc000 && r < 0x4000:
			words = append(words, "blue")
		default:
			words = append(words, ".")
		}
	}
	return strings.Join(words[:2], " ") + " / " + strings.Join(words[2:], " ")
}

func TestAPhotoIsTurnedUprightAndTellsNothingElse(t *testing.T) {
	// How the picture looks to a viewer that obeys the orientation, by the figure in Exif.
	for orientation, want := range map[uint16]string{
		0: "red blue / . .", 1: "red blue / . .", 2: "blue red / . .", 3: ". . / blue red", 4: ". . / red blue",
		5: "red . / blue .", 6: ". red / . blue", 7: ". blue / . red", 8: "blue . / red .", 9: "red blue / . .",
	} {
		for mark, order := range map[string]binary.AppendByteOrder{"II": binary.LittleEndian, "MM": binary.BigEndian} {
			drawn, err := Redraw(held(t, order, mark, orientation))
			if err != nil {
				t.Fatal(err)
			}
			if got := look(t, drawn); got != want {
				t.Errorf("orientation %d (%s) looks like %s, not %s", orientation, mark, got, want)
			}
			if bytes.Contains(drawn, []byte("Exif")) || bytes.Contains(drawn, []byte("69.24")) || bytes.Contains(drawn, []byte("camera")) {
				t.Error("what stood beside the picture is still there")
			}
		}
	}
}

func TestALargePhotoIsDrawnSmaller(t *testing.T) {
	var content bytes.Buffer
	if err := png.Encode(&content, image.NewGray(image.Rect(0, 0, 300, 3200))); err != nil {
		t.Fatal(err)
	}
	drawn, err := Redraw(content.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if size, _, err := image.DecodeConfig(bytes.NewReader(drawn)); err != nil || size.Width != 150 || size.Height != 1600 {
		t.Errorf("it is %d by %d, %v", size.Width, size.Height, err)
	}
}

func TestWhatIsNoPhotoIsRefused(t *testing.T) {
	whole := held(t, binary.BigEndian, "MM", 6)
	for what, content := range map[string][]byte{
		"nothing": nil, "a text": []byte("a photo"), "half a photo": whole[:len(whole)/2],
		"a page that is called photo.jpg": []byte("<html><script>alert(1)</script></html>"),
	} {
		if _, err := Redraw(content); !errors.Is(err, ErrNotPhoto) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzRedraw(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00MM\x00*\x00\x00\x00\x08"))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if got := orientation(content); len(content) < 16 && got != 1 {
			t.Errorf("an orientation of %d out of %q", got, content)
		}
		if len(content) > 1<<16 {
			return
		}
		if size, _, err := image.DecodeConfig(bytes.NewReader(content)); err == nil && size.Width*size.Height > 1<<22 {
			return // it is opened, but not a million times
		}
		if drawn, err := Redraw(content); err == nil {
			if _, err := jpeg.Decode(bytes.NewReader(drawn)); err != nil {
				t.Errorf("what was drawn cannot be opened: %v", err)
			}
		}
	})
}
