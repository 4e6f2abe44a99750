// Package photo draws photos anew: upright, not too large, and with nothing in the file but the picture. What a camera
// writes beside it (place, time, device, a preview) is gone; only which way up it was held is read, from the orientation
// of Exif (CIPA DC-008-2023, 4.6.4.1, tag 274), and carried out.
//
// A file is what its content says, whatever it is called: JPEG (ITU-T T.81) or PNG (ISO/IEC 15948). Anything else, and a
// picture that would fill the memory once it is opened, is refused before it is: a few kilobytes can say that they are
// fifty million pixels. Two are opened at a time; the others wait for their turn.
package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png" // is read, too

	"golang.org/x/image/draw"
)

var (
	// ErrNotPhoto says that the content is no JPEG or PNG, or is damaged.
	ErrNotPhoto = errors.New("this is no JPEG or PNG that can be opened")
	// ErrTooLarge says that the picture would take more than 160 MiB once it is opened.
	ErrTooLarge = errors.New("this picture takes more than 160 MiB once it is opened")
)

const (
	widest    = 1600      // pixels of the longer side: a written sheet stays readable
	mostBytes = 160 << 20 // that opening a picture may take: a JPEG of 50 million pixels does
	quality   = 80
	atOnce    = 2 // pictures that are opened
)

// turns has a place for each picture that is being opened.
var turns = make(chan struct{}, atOnce)

// Redraw returns the picture as a JPEG without metadata.
func Redraw(content []byte) ([]byte, error) {
	size, kind, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil || size.Width < 1 || size.Height < 1 {
		return nil, ErrNotPhoto
	}
	if float64(size.Width)*float64(size.Height)*bytesPerPixel(size.ColorModel, kind, content) > mostBytes {
		return nil, ErrTooLarge
	}
	turns <- struct{}{}
	defer func() { <-turns }()
	picture, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, ErrNotPhoto
	}
	scale := min(1, float64(widest)/float64(max(size.Width, size.Height)))
	drawn := image.NewRGBA(image.Rect(0, 0, max(1, int(float64(size.Width)*scale)), max(1, int(float64(size.Height)*scale))))
	draw.Draw(drawn, drawn.Bounds(), image.White, image.Point{}, draw.Src) // what is transparent is paper
	draw.ApproxBiLinear.Scale(drawn, drawn.Bounds(), picture, picture.Bounds(), draw.Over, nil)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, upright(drawn, orientation(content)), &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// bytesPerPixel returns how many bytes of memory the decoders of the standard library take for each pixel, at most.
func bytesPerPixel(model color.Model, kind string, content []byte) float64 {
	if kind == "png" {
		const interlaceMethod = 28 // the last byte of the header
		each := 4.0
		switch model {
		case color.Gray16Model, color.RGBA64Model, color.NRGBA64Model:
			each = 8 // grey, too, if one shade of it is transparent
		}
		if len(content) > interlaceMethod && content[interlaceMethod] != 0 {
			each *= 2 // the passes are pictures of their own
		}
		return each
	}
	samples, progressive := frame(content)
	each := 3.0
	switch model {
	case color.RGBAModel, color.CMYKModel:
		each = 8 // the planes, and the picture that is put together of them
	}
	if progressive {
		each += 4 * samples // a coefficient for each sample is kept until the last scan
	}
	return each
}

// frame returns how many samples a JPEG has for each pixel, and whether it is progressive. What cannot be told is the most.
func frame(content []byte) (samples float64, progressive bool) {
	const baseline, extended, inStages, restart, restartEnd, fill = 0xc0, 0xc1, 0xc2, 0xd0, 0xd7, 0xff
	for at := 2; at+4 <= len(content); {
		switch marker := content[at+1]; {
		case content[at] != fill || marker == fill: // a stray or a fill byte
			at++
		case marker == 0 || restart <= marker && marker <= restartEnd:
			at += 2
		case marker == baseline || marker == extended || marker == inStages:
			components := content[at+4:]
			const before, each = 6, 3 // precision, height, width and number; id, sampling factors, table
			for i := before; i+each <= len(components) && i < before+each*int(components[before-1]); i += each {
				first, own := components[before+1], components[i+1]
				samples += float64(own>>4*(own&15)) / float64(max(1, first>>4*(first&15)))
			}
			return samples, marker == inStages
		default:
			at += 2 + int(binary.BigEndian.Uint16(content[at+2:]))
		}
	}
	return 4, true
}

// upright turns and mirrors a picture as its orientation says: 1 is upright, 2 to 8 as in Exif.
func upright(from *image.RGBA, orientation uint16) *image.RGBA {
	if orientation < 2 || orientation > 8 {
		return from
	}
	width, height := from.Bounds().Dx(), from.Bounds().Dy()
	bounds := image.Rect(0, 0, width, height)
	if orientation >= 5 {
		bounds = image.Rect(0, 0, height, width)
	}
	to := image.NewRGBA(bounds)
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			fromX, fromY := x, y
			if orientation >= 5 {
				fromX, fromY = y, x // transposed
			}
			switch orientation {
			case 2, 7, 8:
				fromX = width - 1 - fromX
			}
			switch orientation {
			case 4, 6, 7:
				fromY = height - 1 - fromY
			}
			if orientation == 3 {
				fromX, fromY = width-1-fromX, height-1-fromY
			}
			copy(to.Pix[to.PixOffset(x, y):][:4], from.Pix[from.PixOffset(fromX, fromY):][:4])
		}
	}
	return to
}

// orientation returns the orientation that the Exif segment of a JPEG names; 1 if there is none.
func orientation(content []byte) uint16 {
	const startOfScan, application1, markerSize = 0xda, 0xe1, 4
	for at := 2; at+markerSize <= len(content) && content[at] == 0xff && content[at+1] != startOfScan; {
		if content[at+1] == 0xff { // a fill byte
			at++
			continue
		}
		size := int(binary.BigEndian.Uint16(content[at+2:]))
		if size < 2 || at+2+size > len(content) {
			break
		}
		if tiff, ok := bytes.CutPrefix(content[at+markerSize:at+2+size], []byte("Exif\x00\x00")); ok && content[at+1] == application1 {
			return orientationOf(tiff)
		}
		at += 2 + size
	}
	return 1
}

// orientationOf reads the tag out of the first directory of a TIFF.
func orientationOf(tiff []byte) uint16 {
	const header, entry, tagOrientation = 8, 12, 274
	var order binary.ByteOrder = binary.BigEndian
	if bytes.HasPrefix(tiff, []byte("II")) {
		order = binary.LittleEndian
	}
	if len(tiff) < header {
		return 1
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < entry {
			break
		}
		if order.Uint16(entries) == tagOrientation {
			return order.Uint16(entries[8:])
		}
		entries = entries[entry:]
	}
	return 1
}
