package document

import (
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
	"github.com/signintech/gopdf"

	"yagona/kernel/document/font"
	"yagona/kernel/fault"
)

// The sheet: A4, in points (1/72 inch).
const (
	sheetWidth   = 595.28
	sheetHeight  = 841.89
	marginSide   = 62
	marginTop    = 54
	footerTop    = sheetHeight - 44
	textWidth    = sheetWidth - 2*marginSide
	codeSize     = 122 // the QR code with its quiet zone: 43 mm
	codeTop      = footerTop - codeSize - 14
	labelShare   = 0.36 // of the width, for the labels of lines
	ruleHair     = 0.4
	ruleStrong   = 1.1
	quietModules = 4 // ISO/IEC 18004, section 5.3.8
)

// The inks, as shares of white.
const (
	inkText = 0.10
	inkSoft = 0.38
	inkHair = 0.80
)

// The fonts, as the file names them.
const (
	fontRegular = "NotoSans-Regular"
	fontBold    = "NotoSans-Bold"
)

// style is how a passage is set: the font, the size and the distance of lines in points, the ink.
type style struct {
	font    string
	size    float64
	leading float64
	ink     float64
}

// The styles.
var (
	styleAgency  = style{fontBold, 10.5, 14, inkText}
	styleTitle   = style{fontBold, 18, 24, inkText}
	styleCaption = style{fontRegular, 7.5, 10, inkSoft}
	styleMeta    = style{fontRegular, 9.5, 13, inkText}
	styleLabel   = style{fontRegular, 9.5, 14, inkSoft}
	styleValue   = style{fontRegular, 10.5, 14, inkText}
	styleChecked = style{fontBold, 10.5, 14, inkText}
	styleHeading = style{fontBold, 10, 14, inkText}
	styleText    = style{fontRegular, 9.5, 13.5, inkText}
	styleSmall   = style{fontRegular, 8, 11, inkText}
	styleSmaller = style{fontBold, 8, 11, inkText}
	styleFooter  = style{fontRegular, 7, 9, inkSoft}
)

// Render draws the pages of a document: the same content and payload give the same bytes. The QR code stands on the
// first page. What cannot be printed gives a fault.
func Render(content Content, payload string) ([]byte, error) {
	layout, err := plan(content, payload)
	if err != nil {
		return nil, err
	}
	if err := layout.draw(content); err != nil {
		return nil, err
	}
	return layout.pdf.GetBytesPdfReturnErr()
}

// plan places everything that a document says.
func plan(content Content, payload string) (*layout, error) {
	if err := content.check(); err != nil {
		return nil, err
	}
	code, err := newCode(payload)
	if err != nil {
		return nil, err
	}
	pdf := &gopdf.GoPdf{}
	pdf.Start(gopdf.Config{PageSize: gopdf.Rect{W: sheetWidth, H: sheetHeight}})
	if err := pdf.AddTTFFontData(fontRegular, font.Regular()); err != nil {
		return nil, err
	}
	if err := pdf.AddTTFFontData(fontBold, font.Bold()); err != nil {
		return nil, err
	}
	layout := &layout{pdf: pdf}
	layout.begin()
	layout.document(content, code)
	return layout, layout.err
}

// layout places passages from top to bottom and begins a new page where one is full. It only plans: each page is a list
// of marks, drawn once the number of pages is known.
type layout struct {
	pdf   *gopdf.GoPdf
	pages [][]mark
	page  int     // the one that is being planned
	y     float64 // where the next passage begins
	err   error   // the first one; later calls do nothing
}

// mark is something to draw: text on a baseline, or a filled rectangle.
type mark struct {
	x, y          float64
	text          string
	style         style
	width, height float64
	ink           float64
	link          string
}

func (l *layout) begin() {
	l.page = len(l.pages)
	l.pages = append(l.pages, nil)
	l.y = marginTop
}

// bottom returns where the room for text ends: above the QR code on the first page.
func (l *layout) bottom() float64 {
	if l.page == 0 {
		return codeTop - 12
	}
	return footerTop - 16
}

// need begins a new page unless so much height is left.
func (l *layout) need(height float64) {
	if l.y+height > l.bottom() {
		l.begin()
	}
}

func (l *layout) add(m mark) { l.pages[l.page] = append(l.pages[l.page], m) }

func (l *layout) rule(x, y, width, height, ink float64) {
	l.add(mark{x: x, y: y, width: width, height: height, ink: ink})
}

// put writes one line of text whose top is at y.
func (l *layout) put(x, y float64, text string, s style) {
	if text != "" {
		l.add(mark{x: x, y: y + s.leading*0.75, text: text, style: s})
	}
}

// wrap breaks a text into lines of at most the width: at spaces, and inside a word that is wider than a line.
func (l *layout) wrap(text string, width float64, s style) []string {
	var lines []string
	for _, paragraph := range strings.Split(strings.TrimSpace(text), "\n") {
		line := ""
		for _, word := range strings.Split(paragraph, " ") {
			if word == "" {
				continue
			}
			if line != "" && l.width(line+" "+word, s) <= width {
				line += " " + word
				continue
			}
			if line != "" {
				lines = append(lines, line)
			}
			for l.width(word, s) > width {
				head := l.fit(word, width, s)
				lines = append(lines, word[:head])
				word = word[head:]
			}
			line = word
		}
		lines = append(lines, line)
	}
	return lines
}

// fit returns how many bytes of a word fit the width: at least one letter.
func (l *layout) fit(word string, width float64, s style) int {
	end := 0
	for i, letter := range word {
		next := i + len(string(letter))
		if i > 0 && l.width(word[:next], s) > width {
			break
		}
		end = next
	}
	return end
}

func (l *layout) width(text string, s style) float64 {
	if l.err != nil {
		return 0
	}
	if l.err = l.pdf.SetFont(s.font, "", s.size); l.err != nil {
		return 0
	}
	var width float64
	width, l.err = l.pdf.MeasureTextWidth(text)
	return width
}

// passage sets a text over the width at x, line by line, and moves on.
func (l *layout) passage(x, width float64, text string, s style) {
	for _, line := range l.wrap(text, width, s) {
		l.need(s.leading)
		l.put(x, l.y, line, s)
		l.y += s.leading
	}
}

// document plans the whole document.
func (l *layout) document(content Content, code code) {
	first := content.Texts[0]
	l.passage(marginSide, textWidth, first.Agency, styleAgency)
	l.y += 5
	l.rule(marginSide, l.y, textWidth, ruleStrong, inkText)
	l.y += 20
	l.passage(marginSide, textWidth, first.Title, styleTitle)
	l.y += 9
	l.meta(content, first)
	l.y += 12
	l.lines(first.Lines)
	l.section(first.Headings.Reasons, first.Reasons)
	l.section(first.Headings.Basis, first.Basis)
	if first.Contest != "" {
		l.section(first.Headings.Contest, []string{first.Contest})
	}
	if text, ok := content.Text(content.Authoritative); ok && text.Language != first.Language {
		l.authoritative(text, first.Headings.Authoritative)
	}
	l.page = 0 // last, so that it is read out last of its page
	l.code(first.Headings.Check, content, code)
}

// meta sets number, date of issue and last day side by side.
func (l *layout) meta(content Content, text Text) {
	columns := []struct {
		x              float64
		caption, value string
	}{
		{marginSide, text.Headings.Number, string(content.ID)},
		{marginSide + textWidth*0.54, text.Headings.Issued, text.Issued},
		{marginSide + textWidth*0.78, text.Headings.Until, text.Until},
	}
	l.need(styleCaption.leading + styleMeta.leading)
	for _, column := range columns {
		if column.value != "" {
			l.put(column.x, l.y, column.caption, styleCaption)
			l.put(column.x, l.y+styleCaption.leading, column.value, styleMeta)
		}
	}
	l.y += styleCaption.leading + styleMeta.leading
}

// lines sets the facts as a table of two columns.
func (l *layout) lines(lines []Line) {
	const gap, padding = 14.0, 3.5
	labelWidth := textWidth*labelShare - gap
	valueX := marginSide + textWidth*labelShare
	for _, line := range lines {
		valueStyle := styleValue
		if line.Checked {
			valueStyle = styleChecked
		}
		labels := l.wrap(line.Label, labelWidth, styleLabel)
		values := l.wrap(line.Value, textWidth*(1-labelShare), valueStyle)
		height := float64(max(len(labels), len(values))) * valueStyle.leading
		whole := height < sheetHeight/4 // a taller row may go on on the next page
		if whole {
			l.need(padding*2 + height)
		} else {
			l.need(padding*2 + valueStyle.leading)
		}
		l.rule(marginSide, l.y, textWidth, ruleHair, inkHair)
		l.y += padding
		if whole { // the label first, all of it: so it is read out
			for i, text := range labels {
				l.put(marginSide, l.y+float64(i)*valueStyle.leading, text, styleLabel)
			}
			for i, text := range values {
				l.put(valueX, l.y+float64(i)*valueStyle.leading, text, valueStyle)
			}
			l.y += height
		} else {
			l.row(labels, values, valueX, valueStyle)
		}
		l.y += padding
	}
	if len(lines) > 0 {
		l.rule(marginSide, l.y, textWidth, ruleHair, inkHair)
	}
}

// row sets a label and its value line by line, over as many pages as it takes.
func (l *layout) row(labels, values []string, valueX float64, valueStyle style) {
	for i := range max(len(labels), len(values)) {
		l.need(valueStyle.leading)
		if i < len(labels) {
			l.put(marginSide, l.y, labels[i], styleLabel)
		}
		if i < len(values) {
			l.put(valueX, l.y, values[i], valueStyle)
		}
		l.y += valueStyle.leading
	}
}

// section sets a heading and its passages; a heading is never left alone at the foot of a page.
func (l *layout) section(heading string, passages []string) {
	if len(passages) == 0 {
		return
	}
	l.y += 12
	l.need(styleHeading.leading + styleText.leading)
	if heading != "" {
		l.passage(marginSide, textWidth, heading, styleHeading)
		l.y++
	}
	for i, text := range passages {
		if i > 0 {
			l.y += 2.5
		}
		l.passage(marginSide, textWidth, text, styleText)
	}
}

// authoritative sets the text that counts, smaller, below the one that was shown first.
func (l *layout) authoritative(text Text, heading string) {
	l.y += 16
	l.need(60)
	l.rule(marginSide, l.y, textWidth, ruleStrong/2, inkSoft)
	l.y += 6
	if heading != "" {
		l.passage(marginSide, textWidth, heading, styleCaption)
		l.y += 2
	}
	l.passage(marginSide, textWidth, text.Agency+". "+text.Title, styleSmaller)
	l.y += 2
	dates := text.Headings.Issued + ": " + text.Issued
	if text.Until != "" {
		dates += ". " + text.Headings.Until + ": " + text.Until
	}
	l.passage(marginSide, textWidth, dates+".", styleSmall)
	for _, line := range text.Lines {
		l.passage(marginSide, textWidth, line.Label+": "+line.Value, styleSmall)
	}
	for _, section := range []struct {
		heading  string
		passages []string
	}{
		{text.Headings.Reasons, text.Reasons}, {text.Headings.Basis, text.Basis}, {text.Headings.Contest, []string{text.Contest}},
	} {
		if words := strings.TrimSpace(strings.Join(section.passages, " ")); words != "" {
			l.y += 2
			l.passage(marginSide, textWidth, section.heading+": "+words, styleSmall)
		}
	}
}

// code places the QR code at the foot of the first page, how to check the document beside it.
func (l *layout) code(check string, content Content, code code) {
	l.rule(marginSide, codeTop-6, textWidth, ruleHair, inkSoft)
	module := codeSize / float64(code.size+2*quietModules)
	left, top := marginSide-quietModules*module, float64(codeTop)
	for y := range code.size {
		for x := 0; x < code.size; x++ {
			from := x
			for x < code.size && code.dark(x, y) {
				x++
			}
			if x > from {
				// A little taller than a module, so that no light shows between two rows.
				l.rule(left+float64(from+quietModules)*module, top+float64(y+quietModules)*module,
					float64(x-from)*module, module+0.03, 0)
			}
		}
	}
	textX := left + codeSize + 8
	width := sheetWidth - marginSide - textX
	lines := l.wrap(check, width, styleText)
	links := l.wrap(content.Link, width, styleMeta)
	height := float64(len(lines))*styleText.leading + 4 + float64(len(links))*styleMeta.leading
	y := top + max(quietModules*module, (codeSize-height)/2)
	for _, line := range lines {
		l.put(textX, y, line, styleText)
		y += styleText.leading
	}
	y += 4
	for _, line := range links {
		l.put(textX, y, line, styleMeta)
		page := l.pages[l.page]
		page[len(page)-1].link = content.Link
		y += styleMeta.leading
	}
}

// draw draws the planned pages, each with its foot.
func (l *layout) draw(content Content) error {
	for number, page := range l.pages {
		l.pdf.AddPage()
		for _, mark := range page {
			if err := l.mark(mark); err != nil {
				return err
			}
		}
		if err := l.foot(content, number+1); err != nil {
			return err
		}
	}
	return nil
}

func (l *layout) mark(m mark) error {
	if m.text == "" {
		l.pdf.SetGrayFill(m.ink)
		l.pdf.RectFromUpperLeftWithStyle(m.x, m.y, m.width, m.height, "F")
		return nil
	}
	if err := l.pdf.SetFont(m.style.font, "", m.style.size); err != nil {
		return err
	}
	l.pdf.SetGrayFill(m.style.ink)
	l.pdf.SetXY(m.x, m.y)
	if m.link != "" {
		l.pdf.AddExternalLink(m.link, m.x, m.y-m.style.size, l.width(m.text, m.style), m.style.leading)
	}
	return l.pdf.Text(m.text)
}

// foot draws the last line of a page: what document it belongs to, and which page it is.
func (l *layout) foot(content Content, number int) error {
	pages := strconv.Itoa(number) + " / " + strconv.Itoa(len(l.pages))
	base := mark{y: footerTop + 12, style: styleFooter}
	left, right := base, base
	left.x, left.text = marginSide, l.wrap(content.Texts[0].Title, textWidth-220, styleFooter)[0]+" · "+string(content.ID)
	right.x, right.text = sheetWidth-marginSide-l.width(pages, styleFooter), pages
	if err := l.mark(left); err != nil {
		return err
	}
	return l.mark(right)
}

// code is the modules of a QR code.
type code struct {
	size int
	dark func(x, y int) bool
}

// The largest QR code that phones read well from 43 mm of paper: version 25 has 117 modules of 0.34 mm each.
const mostModules = 117

// mostPayload is how many characters of the alphanumeric mode a code of version 25 holds with error correction L (ISO/IEC
// 18004, table 7): with this many newCode draws, with one more it does not.
const mostPayload = 1853

var errNoCode = fault.New(fault.TooLarge, "document.too-many-facts",
	"The checked lines do not fit a QR code. Mark fewer lines as checked, or shorten them.").At("lines")

// newCode returns the QR code of a payload with error correction M (15 % of the code may be lost), or L where M would
// make it too dense.
func newCode(payload string) (code, error) {
	for _, level := range []qr.ErrorCorrectionLevel{qr.M, qr.L} {
		drawn, err := qr.Encode(payload, level, qr.AlphaNumeric)
		if err != nil {
			continue // too long for this level
		}
		if size := drawn.Bounds().Dx(); size <= mostModules {
			return code{size: size, dark: func(x, y int) bool {
				red, _, _, _ := drawn.At(x, y).RGBA()
				return red == 0
			}}, nil
		}
	}
	return code{}, errNoCode
}
