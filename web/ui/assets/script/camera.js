// Reads the QR code of a document with the camera, where the browser can (BarcodeDetector). Nothing of the picture leaves
// the device. Where it cannot, the button stays hidden and the text is pasted.
const button = document.querySelector("button[data-camera]"), input = document.querySelector("textarea[name=payload]");
const offer = async () => {
  if (!button || !input || !navigator.mediaDevices || !("BarcodeDetector" in window)) return;
  if (!(await BarcodeDetector.getSupportedFormats()).includes("qr_code")) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const video = document.createElement("video"), detector = new BarcodeDetector({ formats: ["qr_code"] });
    let stream;
    try { stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }); } catch { button.hidden = true; return; }
    const stop = () => { for (const track of stream.getTracks()) track.stop(); video.remove(); button.disabled = false; };
    button.disabled = true;
    video.className = "camera";
    video.playsInline = true;
    video.srcObject = stream;
    button.after(video);
    await video.play();
    const until = Date.now() + 60000;
    const look = async () => {
      const [found] = await detector.detect(video).catch(() => []);
      if (found) { stop(); input.value = found.rawValue; input.form.requestSubmit(); return; }
      if (Date.now() > until) { stop(); return; }
      setTimeout(look, 200);
    };
    look();
  });
};
offer().catch(() => {}); // then there is no camera to read with
