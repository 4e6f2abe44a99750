#!/bin/sh
# Makes the font files of this folder from Debian's fonts-noto-core (20201225-1) with Debian's fonttools (4.38.0) and
# python3-brotli (1.0.9). The same versions give the same bytes. Noto Sans in two weights, and in two parts of which a
# browser loads those that a page's letters need:
#   latin     Latin of Uzbek (with the letters ʻ U+02BB and ʼ U+02BC), Karakalpak (á ǵ ı ń ó ú), English and the
#             transcriptions between them, digits, punctuation, the signs that pages use
#   cyrillic  Cyrillic of Russian, Uzbek (Қ Ғ Ҳ Ў) and Karakalpak (Ә Ң Ү Ө)
# Kept: kerning, composed accents, figures of one width (tabular). Dropped: hinting. What stands in each part is said
# again in ../house.css (unicode-range); a test holds the two together.
set -eu
cd "$(dirname "$0")"
subset() {
	pyftsubset "/usr/share/fonts/truetype/noto/NotoSans-$2.ttf" --output-file="noto-sans-$1-$3.woff2" --flavor=woff2 \
		--unicodes="$4" --layout-features='kern,mark,mkmk,ccmp,locl,tnum' --no-hinting --desubroutinize \
		--notdef-outline --no-recommended-glyphs --canonical-order --no-recalc-timestamp
}
latin='U+0020-007E,U+00A0,U+00AB,U+00B0,U+00B7,U+00BB,U+00C0-00FF,U+0131,U+0143-0144,U+01F4-01F5,U+011E-011F,U+0130,U+015E-015F,U+02BB-02BC,U+0301,U+2010-2014,U+2018-201A,U+201C-201E,U+2022,U+2026,U+202F,U+2039-203A,U+20AC,U+2122,U+2212,U+2260,U+2264-2265'
cyrillic='U+0400-045F,U+0490-0493,U+049A-049B,U+04A2-04A3,U+04AE-04AF,U+04B2-04B3,U+04D8-04D9,U+04E8-04E9,U+2116'
for weight in Regular:400 Bold:700; do
	subset latin "${weight%:*}" "${weight#*:}" "$latin"
	subset cyrillic "${weight%:*}" "${weight#*:}" "$cyrillic"
done
