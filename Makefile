# Everything a person does here has a target; bare `make` prints them.
GO ?= go

.DEFAULT_GOAL := help
.PHONY: help build demo test lint bench soak torture fuzz tools screenshots

help: ## print the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

build: ## build ./certtrail
	$(GO) build -o certtrail ./cmd/certtrail

demo: build ## run the whole system with deliveries arriving, on a throw-away directory
	./certtrail demo

test: lint tools ## run every test, with the race detector
	$(GO) test -race -vet=off -timeout 13m ./...

# With -race, so that what vet and staticcheck compile is what the tests need: everything is compiled once.
lint: ## gofmt, vet, staticcheck, tidy, and the limits of the layout
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	$(GO) vet -race ./...
	GOFLAGS="$$($(GO) env GOFLAGS) -race" $$($(GO) tool -n staticcheck) ./...
	$(GO) mod tidy -diff
	$(GO) test -vet=off ./cmd/certtrail/internal/house

tools: ## install what the tests need and a new machine lacks: Chromium, strace, axe-core
	@./.ci/tools

screenshots: tools ## a picture of every page with the demo's data, wide and narrow, light and dark, into ./screenshots; and the README's
	$(GO) test -count 1 -timeout 13m -run TestEveryPage ./cmd/certtrail -args -screenshots $(CURDIR)/screenshots
	cp screenshots/orders-1440-light.png docs/orders.png

bench: ## measure the hot paths beside their limits
	$(GO) test -run '^$$' -bench . -skip 'Soak|Rebuild|Torture' -benchtime 2s ./...
# The rebuild in a process of its own: what the others leave in memory would be looked through at its cost.
	$(GO) test -run '^$$' -bench Rebuild -benchtime 1x ./cmd/certtrail

soak: ## rebuild a million events while serving, five million in little memory, and serve a million in little: minutes, and 6 GB of disk
	$(GO) test -run '^$$' -bench Soak -benchtime 1x -timeout 60m ./cmd/certtrail

SEED ?= 1
torture: ## the long forms of what attacks a server: minutes
	$(GO) test -run '^$$' -bench Torture -benchtime 1x -timeout 60m ./...
	$(GO) test -count 1 -run 'BatchesDoNotMatter|ThenIsWhatWasLive' -timeout 60m ./projections -rapid.checks 1000
	$(GO) test -count 1 -run TestFailingCalls -timeout 60m ./cmd/certtrail -args -torture 60 -seed $(SEED)
	$(GO) test -count 1 -run TestDamagedFiles -timeout 180m ./cmd/certtrail -args -torture 500 -seed $(SEED)

FUZZTIME ?= 60s
fuzz: ## fuzz every decoder, FUZZTIME each
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
		echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done
