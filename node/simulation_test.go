package node_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"runtime/pprof"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/simulation"
	"yagona/node"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/packs/uz"
)

func TestScratch(t *testing.T) {
	site, _ := url.Parse("http://127.0.0.1:8080")
	begin := time.Now()
	n, err := node.OpenDemonstration(t.Context(), node.Config{
		Folder: "/tmp/simbench", Site: site, Country: uz.Files, Packs: packs.All(), Clock: time.Now, Volatile: true,
	}, 20000)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	fmt.Println("seeded", time.Since(begin))
	pop, err := demo.Generate(1, n.Profile, n.Profile.Calendar.Date(time.Now()), 20000)
	if err != nil {
		t.Fatal(err)
	}
	by := analyst(t, n, pop)
	f, _ := os.Create("/tmp/sim.prof")
	pprof.StartCPUProfile(f)
	defer pprof.StopCPUProfile()
	for range 3 {
		begin = time.Now()
		made, err := n.Simulator.Run(context.Background(), by, simulation.Wanted{Service: "youth/tools-subsidy", Change: simulation.Change{
			Params: map[string]string{"brv": "600000 UZS"}, Assume: map[string]string{"price": "9000000"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(time.Since(begin), float64(made.Result.Residents)/time.Since(begin).Seconds())
	}
}

func analyst(t *testing.T, n *node.Node, pop *demo.Population) access.Actor {
	for _, one := range pop.Officials {
		if one.Role == simulation.Analyst {
			held, err := n.Office.Appointments(t.Context(), one.Person, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range held {
				if a.Role == simulation.Analyst {
					return access.Actor{Person: one.Person, Appointment: &a}
				}
			}
		}
	}
	t.Fatal("no analyst")
	return access.Actor{}
}
