package browser

import (
	"testing"

	"github.com/chromedp/chromedp"

	"yagona/locale"
)

// camera is a device that sees a code the second time that it looks. Chromium without a screen has neither.
const camera = `
	window.stopped = 0;
	navigator.mediaDevices.getUserMedia = async (wanted) => {
		window.wanted = wanted;
		const stream = document.createElement("canvas").captureStream();
		for (const track of stream.getTracks()) { const stop = track.stop.bind(track); track.stop = () => { sessionStorage.setItem("stopped", "yes"); stop(); }; }
		return stream;
	};
	HTMLMediaElement.prototype.play = async () => {};
	window.BarcodeDetector = class {
		static async getSupportedFormats() { return ["qr_code"]; }
		async detect() { return this.looked ? [{ rawValue: "YAG1:nonsense" }] : (this.looked = true, []); }
	};`

// A document is verified by the camera where the browser can read codes; where it cannot, its text is pasted.
func TestADocumentIsReadWithTheCamera(t *testing.T) {
	s := begin(t, chromium(t), "")
	w := s.window(t, locale.English)
	w.run(scripts(true))
	w.open("/verify")
	if ask(w, chromedp.Evaluate[bool](`!document.querySelector("[data-camera]").hidden`)) {
		t.Fatal("a browser that reads no codes offers the camera")
	}
	if !ask(w, chromedp.Evaluate[bool](`document.featurePolicy.allowsFeature("camera")`)) {
		t.Error("the page may not use the camera")
	}
	w.with(camera)
	w.open("/verify")
	w.until("the camera is offered", `!document.querySelector("[data-camera]").hidden`)
	w.leading(chromedp.Click(chromedp.CSS("[data-camera]")))
	w.says("verify.unreadable") // what was read was sent, and is no document of ours
	if ask(w, chromedp.Evaluate[string](`sessionStorage.getItem("stopped")`)) != "yes" {
		t.Error("the camera stays on")
	}
}
