package ui

import (
	"net/http"

	"yagona/web/route"
)

// GalleryPath is where the gallery is shown.
const GalleryPath = "/ui"

// Gallery returns pages that show every component with invented content, for those who make pages and those who check
// them. It is for demonstration mode only. Its content is English in every language; the frame speaks the reader's.
func (h *House) Gallery() []route.Route {
	show := func(path string, page func() Page) route.Route {
		return route.Route{
			Method: "GET", Pattern: path, Access: route.Public(),
			Handle: func(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
				frame := FrameOf(v)
				frame.Navigation = []Link{
					{Text: "Gallery", Href: GalleryPath, Current: path == GalleryPath},
					{Text: "Questions", Href: GalleryPath + "/form", Current: path == GalleryPath+"/form"},
					{Text: "One question", Href: GalleryPath + "/question", Current: path == GalleryPath+"/question"},
					{Text: "Desk", Href: GalleryPath + "/desk", Current: path == GalleryPath+"/desk"},
					{Text: "Figures", Href: GalleryPath + "/figures", Current: path == GalleryPath+"/figures"},
					{Text: "First page", Href: GalleryPath + "/first", Current: path == GalleryPath+"/first"},
				}
				frame.Account = &Account{
					Name: "Youth leader", Detail: "Sample agency, Sample neighbourhood", Href: GalleryPath, SignOut: "/sign-out",
				}
				return h.Render(w, http.StatusOK, frame, page())
			},
		}
	}
	return []route.Route{
		show(GalleryPath, galleryStart), show(GalleryPath+"/form", galleryForm),
		show(GalleryPath+"/question", galleryQuestion), show(GalleryPath+"/desk", galleryDesk),
		show(GalleryPath+"/figures", galleryFigures), show(GalleryPath+"/first", galleryFirst),
		show(GalleryPath+"/entries", galleryEntries),
	}
}

func galleryStart() Page {
	return Page{
		Title: "Components of this site", Caption: "Gallery",
		Lead:  "Every page is made of these parts. All names and numbers here are invented.",
		Trail: []Link{{Text: "First page", Href: "/"}, {Text: "Gallery", Href: GalleryPath}},
		Aside: []Component{
			Heading{Text: "Beside"},
			SummaryList{Rows: []SummaryRow{
				{Term: "Decided", Values: []string{"in 3 days, half of the time"}}, {Term: "Cost", Values: []string{"Nothing"}},
			}},
			Buttons{{Key: "actions.apply", Href: "#"}},
		},
		Banner: &Banner{
			Tone: Info, Title: "There is a question for you", Text: "Answer it by 6 March, then the clock goes on.", Link: &Link{Text: "Answer", Href: "#"},
		},
		Body: []Component{
			Paragraph{
				Text: "Check what the registers say about you before you send anything. Nobody will ask you for a paper that the state already has.",
			},
			Cards{Items: []Card{
				{
					Title: "Subsidy to buy tools", Href: "#", Text: "One payment for a young resident who starts to work for themselves.",
				},
				{
					Title: "Certificate of unemployment", Href: "#", Text: "Granted at once.", Status: &Tag{Text: "At once", Tone: Good},
				},
			}},
			Heading{Text: "Check your answers"},
			SummaryList{Rows: []SummaryRow{
				{
					Term: "What will you do?", Values: []string{"Sewing"}, Change: &Link{
						Text: "Change", Href: "#", About: "what you will do",
					},
				},
				{
					Term: "Price of the tools", Values: []string{"1 500 000 XTS"}, Change: &Link{
						Text: "Change", Href: "#", About: "the price of the tools",
					},
				},
				{
					Term: "Date of birth", Values: []string{"5 November 2003"}, Source: "Civil register, today",
					Contest: &Link{Text: "This is wrong", Href: "#", About: "date of birth"},
				},
				{
					Term: "Residence", Values: []string{"Sample neighbourhood", "Sample district"}, Source: "Interior register, today",
				},
			}},
			Inset{Text: "If you have not heard from us by 6 March, your application goes to the level above."},
			Buttons{
				{Key: "actions.send", Href: "#"}, {Key: "actions.save", Href: "#", Quiet: true}, {
					Key: "actions.withdraw", Href: "#", Warning: true,
				},
			},
			Heading{Text: "Sent"},
			Receipt{
				Title: "We have your application", Label: "Its number", Number: "YA-2026-000123", Text: "You will get a decision by 6 March 2026.",
			},
			Heading{Text: "Steps"},
			TaskList{Items: []TaskItem{
				{Title: "About you", Href: "#", Status: Tag{Text: "Complete", Tone: Good}},
				{
					Title: "About the tools", Href: "#", Hint: "Two questions", Status: Tag{Text: "In progress", Tone: Wait},
				},
				{Title: "Check and send", Status: Tag{Text: "Cannot start yet", Tone: Plain}},
			}},
			Heading{Text: "What happened"},
			Timeline{Events: []TimelineEvent{
				{Title: "The payment goes to your bank", When: "by 9 March 2026", By: "Youth fund", Tone: Info, Next: true},
				{
					Title: "Granted", When: "4 March 2026, 15:20", Time: "2026-03-04T10:20:00Z", By: "Chair of Sample neighbourhood", Tone: Good, Text: "You meet all conditions.", Link: &Link{Text: "Open the decision", Href: "#"},
				},
				{
					Title: "Recommended", When: "3 March 2026, 09:05", Time: "2026-03-03T04:05:00Z", By: "Youth leader", Tone: Info,
				},
				{
					Title: "Waiting for evidence", When: "2 March 2026, 10:12", Time: "2026-03-02T05:12:00Z", By: "Employment register", Tone: Wait,
				},
				{Title: "Received", When: "2 March 2026, 10:11", Time: "2026-03-02T05:11:00Z"},
			}},
			Heading{Text: "Lists and code"},
			List{Items: []Link{{Text: "Who read my data", Href: "#"}, {Text: "A text that leads nowhere"}}},
			Code{Text: "sample.example/log\n17\n…"},
			Heading{Text: "Status"},
			Tag{Text: "Draft", Tone: Plain},
			Tag{Text: "Received", Tone: Info},
			Tag{Text: "Granted", Tone: Good},
			Tag{Text: "Waiting for you", Tone: Wait},
			Tag{Text: "Refused", Tone: Bad},
			Details{
				Summary: "Why do you know this?", Body: []Component{
					Paragraph{
						Text: "The register answered a question that you allowed. You can see every answer it gave.",
					},
				},
			},
			Warning{Text: "If you do not answer by 6 March, your application ends."},
			Banner{Tone: Good, Title: "Saved", Text: "Your answers are kept until 1 April."},
			Banner{
				Tone: Wait, Title: "A register does not answer", Text: "We keep asking. You need not do anything, and your deadline does not suffer.",
			},
			Banner{Tone: Bad, Title: "The payment came back", Text: "The bank does not know this account."},
			Proof{Unverified: "Scripts are off: any verifier can check what stands below.", Bad: "This sample proves nothing.", Good: "-", Unsigned: "-"},
			Reference{Number: "urn:yagona:request:SAMPLE"},
		},
	}
}

func galleryForm() Page {
	wrong := "Choose one of the options in the list."
	return Page{
		Title: "Subsidy to buy tools", Caption: "Gallery", Back: &Link{Text: "Back", Href: GalleryPath},
		Body: []Component{Form{Files: true, Hidden: []Hidden{{Name: "version", Value: "1"}}, Fields: []Component{
			Choice{
				Question: Question{
					Name: "trade", Label: "What will you do?", Hint: "Choose the nearest.", Error: wrong,
				},
				Options: []Option{
					{
						Value: "sewing", Label: "Sewing", Hint: "Clothes, curtains, repairs",
					},
					{Value: "welding", Label: "Welding"},
					{Value: "other", Label: "Something else", Checked: true},
				},
			},
			Choice{
				Question: Question{Name: "before", Label: "Have you done this before?"}, Inline: true,
				Options: []Option{{Value: "yes", Label: "Yes"}, {Value: "no", Label: "No"}},
			},
			Choice{
				Question: Question{Name: "days", Label: "On which days can we visit?"}, Several: true,
				Options: []Option{{Value: "mon", Label: "Monday", Checked: true}, {Value: "tue", Label: "Tuesday"}},
			},
			TextInput{
				Question: Question{Name: "name", Label: "Name of your workshop", Optional: true}, Value: "Chevar",
			},
			Money(Question{
				Name: "price", Label: "Price of the tools", Hint: "Whole units, for example 1 500 000.", Error: "This is not an amount of money. Write it in digits.",
			}, "many", "XTS"),
			DateInput{
				Question: Question{
					Name: "start", Label: "When do you want to start?", Hint: "For example, 27 3 2026.",
				}, Day: "31", Month: "3", Year: "2026",
			},
			TextInput{
				Question: Question{
					Name: "plan", Label: "Describe your plan", Hint: "A few sentences are enough.",
				}, Lines: 5, Maximum: 1000,
			},
			Select{
				Question: Question{Name: "district", Label: "In which district do you work?"},
				Options:  []Option{{Value: "a", Label: "Sample district"}, {Value: "b", Label: "Other district", Checked: true}},
			},
			FileInput{
				Question: Question{
					Name: "offer", Label: "Upload the seller's offer", Hint: "PDF, JPEG or PNG, at most 10 MB.",
				}, Accept: ".pdf,image/jpeg,image/png",
			},
			Camera{Text: "Read the QR code with the camera"},
		}}},
	}
}

func galleryQuestion() Page {
	return Page{
		Title: "When were you born?", Caption: "Subsidy to buy tools", Asks: true, Back: &Link{Text: "Back", Href: GalleryPath},
		Body: []Component{Form{
			Fields: []Component{Progress{Position: 2, Of: 3}, DateInput{
				Question: Question{
					Name: "birth", Label: "When were you born?", Hint: "For example, 27 3 1998.", Error: "Write day, month and year.", Title: true,
				},
				Day: "27", Birth: true,
			}},
			Buttons: Buttons{
				{Key: "actions.continue"}, {Key: "actions.save", Name: "later", Value: "yes", Quiet: true},
			},
		}},
	}
}

func galleryDesk() Page {
	return Page{
		Title: "Inbox", Lead: "Tasks of your neighbourhood, the most urgent first.", Wide: true,
		Body: []Component{
			Tabs{Label: "Inbox", Items: []Tab{
				{Text: "Waiting for you", Href: "#", Current: true, Count: "57"}, {Text: "Taken by others", Href: "#", Count: "4"}, {Text: "Decided", Href: "#"},
			}},
			Filter{Hidden: []Hidden{{Name: "view", Value: "waiting"}}, Fields: []Component{
				Select{
					Question: Question{Name: "service", Label: "Service"},
					Options:  []Option{{Value: "", Label: "All"}, {Value: "tools", Label: "Subsidy to buy tools"}},
				},
				Select{Question: Question{Name: "place", Label: "Neighbourhood"}, Options: []Option{{Value: "", Label: "All"}, {Value: "a", Label: "Sample"}}},
			}},
			Table{
				Caption: "Waiting for you",
				Columns: []Column{
					{Text: "Application"}, {Text: "Service"}, {Text: "Status"}, {Text: "Due"}, {Text: "Amount, XTS", Number: true},
				},
				Rows: []TableRow{
					{
						{Text: "YA-2026-000123", Href: "#"}, {Text: "Subsidy to buy tools"}, {
							Status: &Tag{Text: "Overdue", Tone: Bad},
						}, {Text: "2 March"}, {Text: "1 500 000"},
					},
					{
						{Text: "YA-2026-000131", Href: "#"}, {Text: "Subsidy to buy tools"}, {
							Status: &Tag{Text: "Waiting", Tone: Wait},
						}, {Text: "6 March"}, {Text: "980 000"},
					},
					{
						{Text: "YA-2026-000137", Href: "#"}, {Text: "Inspection of a home"}, {Status: &Tag{Text: "New", Tone: Info}}, {Text: "9 March"}, {Text: "–"},
					},
				},
				Pages: &Pagination{Previous: "?page=1", Next: "?page=3", From: 21, To: 23, Of: 57},
			},
			Heading{Text: "Nothing here"},
			Table{Caption: "Escalated", Columns: []Column{{Text: "Application"}}, Empty: "Nothing waits for you here."},
		},
	}
}

func galleryFigures() Page {
	return Page{
		Title: "How this service is going", Caption: "Gallery", Lead: "Numbers below five are not told.", Wide: true,
		Body: []Component{
			Figures{Items: []Figure{
				{Value: "1 284", Label: "applications this year"},
				{Value: "3 days", Label: "half of them take at most"},
				{Value: "97 %", Label: "decided on time", Text: "The law gives 5 working days."},
			}},
			BarPlot{
				Caption: "Decided in", Of: "District", Unit: "Days, median", Bars: []Bar{
					{Label: "Sample district", Text: "3, before 5", Value: 3, Mark: 5},
					{Label: "Other district", Href: "#", Text: "7", Value: 7, Tone: Wait},
					{Label: "Third district", Text: "fewer than 5"},
				},
			},
			TileMap{
				Caption: "Decided on time, %", Legend: []string{"not told", "under 80", "80 to 89", "90 to 96", "97 or more"},
				Tiles: []Tile{
					{1, 0, Marked{Name: "Sample district", Text: "97", Level: 4, Href: "#"}},
					{0, 1, Marked{Name: "Other district", Text: "84", Level: 2, Href: "#"}},
					{1, 1, Marked{Name: "Third district", Text: "–"}},
					{2, 1, Marked{Name: "Fourth district", Text: "92", Level: 3, Href: "#"}},
					{2, 2, Marked{Name: "Fifth district", Text: "71", Level: 1, Href: "#"}},
				},
			},
			AreaMap{
				Caption: "The same by outline", Width: 300, Height: 180, Legend: []string{"not told", "under 80", "80 to 89", "90 to 96", "97 or more"},
				Areas: []Area{
					{"M5 5l140 20 -20 70 -110 60z", 60, 70, Marked{Name: "Sample district", Text: "97", Level: 4, Href: "#"}},
					{"M145 25l145 -15 -30 160 -135 -75z", 200, 80, Marked{Name: "Other district", Text: "–"}},
				},
			},
		},
	}
}

func galleryFirst() Page {
	return Page{
		Title: "What do you need from the state?", Lead: "What it knows already, it does not ask you.", Hero: true, Wide: true,
		Search: &Search{Action: GalleryPath + "/first", Name: "q", Label: "Search for a service", Hint: "In your own words"},
		Body: []Component{
			Heading{Text: "What happened in your life?"},
			Cards{Under: true, Items: []Card{
				{Title: "Losing a job", Links: []Link{{Text: "Certificate of unemployment", Href: "#"}, {Text: "Subsidy to buy tools", Href: "#"}}},
				{Title: "Having a child", Links: []Link{{Text: "Allowance for a child", Href: "#"}}},
			}},
		},
	}
}

func galleryEntries() Page {
	return Page{
		Title: "Who lives with you?", Caption: "Gallery", Asks: true, Back: &Link{Text: "Back", Href: GalleryPath},
		Body: []Component{Form{
			Fields: []Component{
				Title{ID: "people", Text: "Who lives with you?", Hint: "Add each of them."},
				Heading{Text: "Entry 1"},
				TextInput{Question: Question{Name: "people[0].name", Label: "Name"}},
			},
			Buttons: Buttons{{Key: "actions.continue"}, {Text: "Add one", Name: "do", Value: "add", Quiet: true}},
		}},
	}
}
