#!/bin/sh
# Makes the two font files of this folder from Debian's fonts-noto-core (20201225-1) with Debian's fonttools (4.38.0).
# The same versions give the same bytes. Kept: Latin with all its extensions of European and Turkic alphabets, Cyrillic
# with its supplement, punctuation, a few signs. Dropped: hinting and typographic features, which a PDF does not use.
set -eu
cd "$(dirname "$0")"
for weight in Regular Bold; do
	pyftsubset "/usr/share/fonts/truetype/noto/NotoSans-$weight.ttf" --output-file="NotoSans-$weight.ttf" \
		--unicodes='U+0020-007E,U+00A0-024F,U+02B9-02C1,U+02C6-02DD,U+0300-030C,U+0327,U+0328,U+0331,U+0400-052F,U+1E00-1EFF,U+2010-2027,U+202F,U+2030,U+2032,U+2033,U+2039,U+203A,U+2044,U+20AC,U+20B8,U+20BD,U+2116,U+2122,U+2212,U+2264,U+2265' \
		--layout-features='' --no-hinting --name-IDs='*' --notdef-outline --no-recommended-glyphs \
		--drop-tables+=GSUB,GPOS,GDEF,STAT,DSIG --canonical-order --no-recalc-timestamp
done
