package browser

import (
	"testing"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/archive"
	"yagona/locale"
	"yagona/packs/demo"
	"yagona/store/query"
)

// Whose months were moved into an archive that is not connected reads which, and whom to ask; whoever opens a case that was
// moved reads since when it is there, and whom to ask. Both are looked at in all languages.
func TestWhatIsInAnArchiveInABrowser(t *testing.T) {
	t.Parallel()
	s := begin(t, chromium(t), axe(t))
	s.also = s.Words.Languages().Tags
	resident := s.people.Persona(demo.Worker)
	sent := s.sends(t, resident, "interior/residence-certificate", map[string]any{})
	volume := archive.Volume{
		ID: "2025-01-3fa9c2e1", Month: "2025-01", Made: s.now().UTC().Truncate(time.Microsecond), Until: 1, Bytes: 1, Digest: make([]byte, 32),
	}
	if err := s.DB.Update(t.Context(), act.Platform, func(tx *query.Tx) error { return tx.SaveVolume(volume) }); err != nil {
		t.Fatal(err)
	}
	err := s.DB.Update(t.Context(), act.Of(resident.ID.Subject()), func(tx *query.Tx) error { return tx.ForgetContent(sent.ID, volume.ID) })
	if err != nil {
		t.Fatal(err)
	}
	w := s.signedIn(t, locale.English, resident, "/me/readings")
	w.says("reading.missing-title")
	w.shows(volume.ID)
	w.look("readings-away")
	w.open("/applications/" + string(sent.ID))
	w.says("kind.archived")
	w.says("fault.application.archived", "since", s.Words.Day("en", volume.Made), "agency", s.Catalogue().Agency(sent.Agency)["en"])
	w.look("application-archived")
}
