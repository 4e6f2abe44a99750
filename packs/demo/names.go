package demo

// Given names in common use, and family names that nobody bears: words for sample, test, example, pattern, exercise,
// experiment, condition and fiction with the usual endings.
var (
	maleNames = []string{
		"Abror", "Alisher", "Anvar", "Aziz", "Bahodir", "Bekzod", "Davron", "Dilshod", "Eldor", "Farhod", "Gʻayrat",
		"Hamid", "Ilhom", "Islom", "Javohir", "Kamol", "Laziz", "Mansur", "Nodir", "Odil", "Rustam", "Sanjar",
		"Shavkat", "Temur", "Ulugʻbek", "Xurshid", "Yusuf", "Zafar",
	}
	femaleNames = []string{
		"Adiba", "Aziza", "Barno", "Charos", "Dilfuza", "Feruza", "Gulnora", "Hilola", "Iroda", "Kamola", "Lola",
		"Madina", "Mohira", "Nafisa", "Nigora", "Oydin", "Raʼno", "Saodat", "Shahlo", "Sitora", "Umida", "Xurshida",
		"Yulduz", "Zebo", "Zilola", "Ziyoda",
	}
	familyNames = []string{
		"Namunaev", "Sinovov", "Misolov", "Andozaev", "Mashqov", "Tajribaev", "Shartliev", "Toʻqimaev",
	}
	organisationNames = []string{
		"Namuna Tikuv", "Sinov Qurilish", "Misol Savdo", "Andoza Nonvoyxona", "Mashq Transport", "Tajriba Agro",
		"Shartli Servis", "Toʻqima Gilam", "Namuna Klinika", "Sinov Maktab", "Misol Bank", "Andoza Mebel",
	}
)
