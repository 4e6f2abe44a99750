package document

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"testing"
	"time"

	"yagona/kernel/ident"
	"yagona/kernel/signature"
)

// The example: an invented decision of an invented agency for an invented person, in Uzbek (which counts) and another
// language.

const (
	exampleID   = ident.Document("019c8f5e-6c00-7a10-8f00-00000000c0de")
	exampleNode = "node.example"
)

var exampleIssued = time.Date(2026, 3, 4, 6, 30, 0, 0, time.UTC)

func exampleLatin() Text {
	return Text{
		Language: "uz-Latn", Agency: "Namunaviy yoshlar agentligi",
		Title:  "Asbob-uskuna sotib olish uchun subsidiya berish toʻgʻrisida qaror",
		Issued: "2026-yil 4-mart", Until: "2027-yil 3-mart",
		Lines: []Line{
			{Label: "Ariza beruvchi", Value: "Namunayeva Gʻuncha Oʻktam qizi", Checked: true},
			{Label: "Tugʻilgan sanasi", Value: "2003-yil 5-noyabr"},
			{Label: "Mahalla", Value: "«Namuna» mahalla fuqarolar yigʻini"},
			{Label: "Qaror", Value: "Subsidiya berilsin", Checked: true},
			{Label: "Summa", Value: "1 500 000,00 soʻm", Checked: true},
			{Label: "Nima uchun", Value: "Tikuv mashinasi va dazmol sotib olish (oʻzini oʻzi band qilish rejasi)"},
		},
		Reasons: []string{
			"Ariza berilgan kuni yoshi 22 da: 18 dan 30 gacha boʻlish talabi bajarilgan.",
			"Ishsiz sifatida roʻyxatda turadi (maʼlumot 2026-yil 3-martda olingan).",
		},
		Basis:   []string{"Namunaviy nizom, 12-band (misol uchun, amaldagi hujjat emas)."},
		Contest: "Qarordan norozi boʻlsangiz, 10 ish kuni ichida yuqori organga yoki sudga murojaat qilishingiz mumkin. Shikoyat uchun toʻlov olinmaydi.",
		Headings: Headings{
			Number: "Hujjat raqami", Issued: "Berilgan sana", Until: "Amal qiladi", Reasons: "Qaror asoslari",
			Basis: "Huquqiy asos", Contest: "Qanday shikoyat qilish mumkin", Authoritative: "Asosiy matn",
			Check: "Hujjatni tekshirish uchun QR-kodni skanerlang yoki quyidagi sahifani oching. Kodda koʻrsatilgan maʼlumotlar bu yerdagi matn bilan bir xil boʻlishi kerak.",
		},
	}
}

func exampleRussian() Text {
	return Text{
		Language: "ru", Agency: "Примерное агентство по делам молодёжи",
		Title:  "Решение о предоставлении субсидии на приобретение инструментов",
		Issued: "4 марта 2026 г.", Until: "3 марта 2027 г.",
		Lines: []Line{
			{Label: "Заявитель", Value: "Намунаева Гунча Уктам кизи", Checked: true},
			{Label: "Дата рождения", Value: "5 ноября 2003 г."},
			{Label: "Махалля", Value: "Сход граждан махалли «Намуна»"},
			{Label: "Решение", Value: "Предоставить субсидию", Checked: true},
			{Label: "Сумма", Value: "1 500 000,00 сум", Checked: true},
			{Label: "На что", Value: "Покупка швейной машины и утюга (план самозанятости)"},
		},
		Reasons: []string{
			"В день подачи заявления заявителю 22 года: требование о возрасте от 18 до 30 лет выполнено.",
			"Состоит на учёте как безработная (сведения получены 3 марта 2026 г.).",
		},
		Basis:   []string{"Примерное положение, пункт 12 (для примера, не действующий акт)."},
		Contest: "Если вы не согласны с решением, вы можете в течение 10 рабочих дней обратиться в вышестоящий орган или в суд. Плата за жалобу не взимается.",
		Headings: Headings{
			Number: "Номер документа", Issued: "Дата выдачи", Until: "Действует по", Reasons: "Почему принято такое решение",
			Basis: "Правовое основание", Contest: "Как обжаловать", Authoritative: "Основной текст, имеющий юридическую силу",
			Check: "Чтобы проверить документ, отсканируйте QR-код или откройте страницу ниже. Сведения в коде должны совпадать с текстом на этом листе.",
		},
	}
}

func exampleContent(texts ...Text) Content {
	if len(texts) == 0 {
		texts = []Text{exampleRussian(), exampleLatin()}
	}
	return Content{
		ID: exampleID, Type: "subsidy-decision", Service: "youth/tools-subsidy", Agency: "youth-agency", Node: exampleNode,
		Issued: exampleIssued, Until: time.Date(2027, 3, 3, 19, 0, 0, 0, time.UTC),
		Authoritative: "uz-Latn", Texts: texts,
		Link: "https://node.example/verify/" + string(exampleID),
	}
}

// keyring is a signer in memory with one key for each holder.
type keyring map[signature.Holder]ed25519.PrivateKey

func newKeyring() keyring {
	ring := keyring{}
	for i, holder := range []signature.Holder{signature.Node, "agency:youth-agency", "agency:other-agency"} {
		ring[holder] = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(i + 1)}, ed25519.SeedSize))
	}
	return ring
}

func (k keyring) public(holder signature.Holder) ed25519.PublicKey {
	return k[holder].Public().(ed25519.PublicKey)
}

func (k keyring) Sign(_ context.Context, holder signature.Holder, message []byte) (signature.Signature, error) {
	return signature.Signature{Key: signature.KeyID(k.public(holder)), Bytes: ed25519.Sign(k[holder], message)}, nil
}

// keySet publishes all keys of the ring.
func (k keyring) keySet() KeySet {
	set := KeySet{Node: exampleNode, Issued: exampleIssued, Next: exampleIssued.AddDate(0, 1, 0)}
	for _, holder := range []signature.Holder{signature.Node, "agency:youth-agency", "agency:other-agency"} {
		set.Keys = append(set.Keys, PublishedKey{Key: signature.Key{
			ID: signature.KeyID(k.public(holder)), Holder: holder, Public: k.public(holder),
			Custody: signature.HeldByNode, From: exampleIssued.AddDate(0, -1, 0),
		}})
	}
	return set
}

// examplePayload signs a content.
func examplePayload(t testing.TB, content Content) (encoded []byte, payload string) {
	t.Helper()
	encoded, err := content.encode()
	if err != nil {
		t.Fatal(err)
	}
	payload, err = signPayload(t.Context(), newKeyring(), new(packer), content, encoded)
	if err != nil {
		t.Fatal(err)
	}
	return encoded, payload
}

// exampleFile draws and seals a content.
func exampleFile(t testing.TB, content Content) []byte {
	t.Helper()
	encoded, payload := examplePayload(t, content)
	file, err := sealFile(t.Context(), newKeyring(), encoded, payload, exampleIssued)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
