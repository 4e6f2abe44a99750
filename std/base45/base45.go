// Package base45 is the base45 encoding of RFC 9285 (August 2022): bytes as text of the 45 characters that a QR code
// stores densely, in its alphanumeric mode.
//
// Two bytes become three characters, a last single byte becomes two (RFC 9285, section 4). Decoding is strict: for each
// sequence of bytes there is exactly one text. A text may have spaces inside and at its beginning, never at its end: the
// last character counts 2025 or 45, and is at most 32 or 5.
package base45

import "fmt"

// The alphabet of RFC 9285, table 1.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// EncodedLen returns the number of characters that n bytes become.
func EncodedLen(n int) int { return n/2*3 + n%2*2 }

// Encode returns the text of data.
func Encode(data []byte) string {
	text := make([]byte, 0, EncodedLen(len(data)))
	for len(data) >= 2 {
		n := int(data[0])<<8 | int(data[1])
		text = append(text, alphabet[n%45], alphabet[n/45%45], alphabet[n/(45*45)])
		data = data[2:]
	}
	if len(data) == 1 {
		text = append(text, alphabet[data[0]%45], alphabet[data[0]/45])
	}
	return string(text)
}

// Decode returns the bytes of text. Text that Encode cannot have made gives an error that names the place.
func Decode(text string) ([]byte, error) {
	if len(text)%3 == 1 {
		return nil, fmt.Errorf("base45: %d characters are one too many or two too few", len(text))
	}
	data := make([]byte, 0, len(text)/3*2+1)
	for start := 0; start < len(text); start += 3 {
		end := min(start+3, len(text))
		n, weight := 0, 1
		for i := start; i < end; i++ {
			digit := value(text[i])
			if digit < 0 {
				return nil, fmt.Errorf("base45: character %d is not of the alphabet", i+1)
			}
			n += digit * weight
			weight *= 45
		}
		switch {
		case end-start == 3 && n <= 0xFFFF:
			data = append(data, byte(n>>8), byte(n))
		case end-start == 2 && n <= 0xFF:
			data = append(data, byte(n))
		default:
			return nil, fmt.Errorf("base45: characters %d to %d stand for no bytes", start+1, end)
		}
	}
	return data, nil
}

// value returns the character's number in the alphabet, or -1.
func value(character byte) int {
	switch {
	case character >= '0' && character <= '9':
		return int(character - '0')
	case character >= 'A' && character <= 'Z':
		return int(character-'A') + 10
	}
	for i := 36; i < len(alphabet); i++ {
		if alphabet[i] == character {
			return i
		}
	}
	return -1
}
