package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/ident"
	"yagona/kernel/ledger/bank"
	"yagona/kernel/signature"
	"yagona/packs/demo"
	"yagona/std/wholefile"
	"yagona/store/keyfile"
	"yagona/web/till"
)

// Demonstration is who lives in a demonstration, written into its folder before anybody is stored, so that a second start
// finds the same people.
type Demonstration struct {
	Seed  uint64        `json:"seed"`
	Today calendar.Date `json:"today"` // ages are counted from here
	Size  int           `json:"size"`
	Done  bool          `json:"done"` // everybody is stored
}

// OpenDemonstration opens an installation of synthetic people in config's folder, and stores them at the first start.
func OpenDemonstration(ctx context.Context, config Config, size int) (*Node, error) {
	return openPopulation(ctx, config, size, demo.Generate)
}

// openPopulation is OpenDemonstration with the people whom generate makes.
func openPopulation(
	ctx context.Context, config Config, size int, generate func(uint64, *country.Profile, calendar.Date, int) (*demo.Population, error),
) (*Node, error) {
	if err := os.MkdirAll(config.Folder, 0o700); err != nil {
		return nil, err
	}
	profile, err := country.Load(config.Country)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(config.Folder, "demonstration.json")
	wanted := Demonstration{Seed: 1, Today: profile.Calendar.Date(config.Clock()), Size: size}
	stored, err := os.ReadFile(path)
	switch {
	case err == nil:
		if err := json.Unmarshal(stored, &wanted); err != nil {
			return nil, fmt.Errorf("%s: %w: remove the folder to begin anew", path, err)
		}
	case errors.Is(err, fs.ErrNotExist):
		if err := wanted.write(path); err != nil {
			return nil, err
		}
	default:
		return nil, err
	}
	population, err := generate(wanted.Seed, profile, wanted.Today, wanted.Size)
	if err != nil {
		return nil, err
	}
	config.Demonstration = true
	people := &visitors{population: population}
	config.People = people
	if config.Practice != nil {
		config.Practice.Residents = residents{population}
	}
	simulated, err := bank.Open(filepath.Join(config.Folder, "bank.journal"), config.Clock)
	if err != nil {
		return nil, err
	}
	simulated.Accounts = population.Accounts()
	config.Bank = simulated
	n, err := Open(ctx, config)
	if err != nil {
		return nil, errors.Join(err, simulated.Close())
	}
	n.closers = append(n.closers, simulated.Close)
	people.introduce(n)
	if wanted.Done {
		return n, nil
	}
	if err := n.seed(ctx, population); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	wanted.Done = true
	if err := wanted.write(path); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (d Demonstration) write(path string) error {
	encoded, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return wholefile.Write(path, encoded)
}

// seed stores the population, and makes the publishers' keys: their private halves lie in the folder "publishers", as
// they would lie with the publishers.
func (n *Node) seed(ctx context.Context, population *demo.Population) error {
	var funds []ident.Account
	for fund := range n.Catalogue().Funds {
		funds = append(funds, ident.Account("fund:"+fund))
	}
	slices.Sort(funds)
	err := population.Seed(ctx, demo.Keepers{
		Vault: n.Vault, People: n.People, Registers: n.Registers, Office: n.Office, Ledger: n.Ledger,
	}, funds)
	if err != nil {
		return err
	}
	held := map[ident.Agency]int{}
	for _, official := range population.Officials {
		if official.Role != "publisher" {
			continue
		}
		held[official.Agency]++
		name := fmt.Sprintf("%s-%d", official.Agency, held[official.Agency])
		own, err := keyfile.Open(filepath.Join(n.config.Folder, "publishers", name), n.config.Clock)
		if err != nil {
			return err
		}
		keys, err := own.Ensure(signature.OfPerson(official.Person))
		if err != nil {
			return err
		}
		if _, err := n.Keys.Trust(keys[0].Holder, keys[0].Public); err != nil {
			return err
		}
	}
	return nil
}

// LogKey returns the verifier key of the log of an installation in the folder, at the site's host and port; witnesses
// must know it before the installation is opened.
func LogKey(config Config) (string, error) {
	keys, err := keyfile.Open(filepath.Join(config.Folder, "keys"), config.Clock)
	if err != nil {
		return "", err
	}
	held, err := keys.Ensure(LogHolder)
	if err != nil {
		return "", err
	}
	return note.NewEd25519VerifierKey(config.origin(), held[0].Public)
}

// tillFile is where the demonstration's payment system keeps what it knows: no part of the installation, as the simulated
// bank's journal.
const tillFile = "till.json"

// SimulatedTill returns the payment system if it is the demonstration's own, else nil.
func (n *Node) SimulatedTill() *till.Till {
	simulated, _ := n.config.Till.(*till.Till)
	return simulated
}

// SimulatedBank returns the bank if it is a simulated one, else nil.
func (n *Node) SimulatedBank() *bank.Bank {
	simulated, _ := n.config.Bank.(*bank.Bank)
	return simulated
}
