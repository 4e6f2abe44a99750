# What takes too long for ./test, which is the one test command (docs/adr/0001-one-test-command.md).
#
#   make fault                       kills, loses and fills up for about an hour and a half on two cores
#   make fault KILLS=500 LOSSES=100  more often
#
# It needs what ./test installs: PostgreSQL, Patroni and etcd. A test that would skip because a tool is missing fails.

# KILLS is how often a serving process is killed, in each of the two suites that do so.
KILLS ?= 200
# LOSSES is how often the database's leader is lost: each takes nearly a minute.
LOSSES ?= 30
# SITES is how often a whole site is lost, every second time with the line to the other one cut before.
SITES ?= 6
# ROUNDS is how often the other faults are brought about: full disk, slow disk, clock, restart, cut connections.
ROUNDS ?= 5

kills = ^(TestWhatWasAcknowledgedSurvivesKill|TestAnyOfSeveralProcessesMayBeKilled)$$
losses = ^TestTheDatabasesLeaderIsLost$$
sites = ^TestAWholeSiteIsLost$$

# Litestream is no dependency of the platform: it is built apart, at the version that the guide names.
litestream = github.com/benbjohnson/litestream/cmd/litestream@v0.5.18
tools = $(CURDIR)/.tools

.PHONY: litestream
litestream:
	CGO_ENABLED=0 GOBIN=$(tools) go install $(litestream)
	YAGONA_TEST_LITESTREAM=$(tools)/litestream go test ./checks/fault -run '^TestTheMachineIsLostAndLitestreamHasACopy$$' -v -count=1 -timeout 20m

.PHONY: fault
fault: export YAGONA_TEST_ALL = 1
fault: litestream
	YAGONA_FAULT_KILLS=$(KILLS) go test ./checks/fault -run '$(kills)' -v -count=1 -timeout 6h
	YAGONA_FAULT_KILLS=$(LOSSES) go test ./checks/fault -run '$(losses)' -v -count=1 -timeout 6h
	YAGONA_FAULT_KILLS=$(SITES) go test ./checks/fault -run '$(sites)' -v -count=1 -timeout 2h
	go test ./checks/fault ./store/postgres -skip '$(kills)|$(losses)|$(sites)' -count=$(ROUNDS) -timeout 6h
