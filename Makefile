# Reelpool's front door. `make help` lists the targets.

SHELL := /bin/bash
SWIFT ?= swift
JOBS ?= $(shell nproc)
OUT ?= out
# An index of the sources is for editors, and takes as long as compiling them.
DEBUG := --disable-index-store
# An entry point of our own (Tests/LinuxMain.swift) has to be told to be this.
TEST := test $(DEBUG) --disable-xctest --enable-swift-testing
FIXTURES := Fixtures
SEEDS ?= 1200
FAULTS ?= 200
FAULT_JOBS ?= 500
TRANSFERS ?= 3000
OPERATIONS ?= 100000
ENTRIES ?= 1000000
REELPOOL := .build/release/reelpool
# Where scripts/build-folder.sh has put the build folder; read anew by each recipe, since the first one links it.
export SWIFTPM_BUILD_DIR = $(realpath .build)

.DEFAULT_GOAL := help
.PHONY: help run test test-thorough build release lint format fuzz faults transfer-faults ledger-faults fixtures bench bench-engine bench-smart bench-chunks bench-pool \
    bench-transfers bench-credits clean packages test-packages bench-packages

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

run: release ## Build, start a pool on this machine, and take a real recording through it
	@scripts/demo.sh .build/release $(FIXTURES)/media/talk.mp4 $(OUT)

test: test-packages lint ## Install what the tests need, check style, and run every test
	@scripts/test.sh

test-thorough: test-packages lint ## As test, with every case of tests of many alike, which takes an hour more
	@REELPOOL_THOROUGH=1 REELPOOL_TEST_MINUTES=120 scripts/test.sh

build: packages ## Build for debugging
	$(SWIFT) build $(DEBUG) -j $(JOBS)

release: packages ## Build for use
	$(SWIFT) build -c release -j $(JOBS) --product reelpool --static-swift-stdlib
	$(SWIFT) build -c release -j $(JOBS) --product reelpool-codec --static-swift-stdlib
	$(SWIFT) build -c release -j $(JOBS) --product reelpoold --static-swift-stdlib

lint: ## Check the style of all sources
	$(SWIFT) format lint --strict --parallel --recursive Sources Tests Benchmarks Package.swift

format: ## Rewrite all sources in the project's style
	$(SWIFT) format format --in-place --parallel --recursive Sources Tests Benchmarks Package.swift

fuzz: packages ## Spoil files at random, by many seeds, and probe and salvage them
	REELPOOL_SEEDS=$(SEEDS) $(SWIFT) $(TEST) --filter DamagedFileTests

faults: test-packages ## Injure a real pool while it works: FAULTS=200 FAULT_JOBS=500 [SEED=n]
	$(SWIFT) build $(DEBUG) -j $(JOBS) --product fault-harness
	.build/debug/fault-harness --faults $(FAULTS) --jobs $(FAULT_JOBS) $(if $(SEED),--seed $(SEED))

transfer-faults: test-packages ## Transfers on which things go wrong, to and from real stores: TRANSFERS=3000 [SEED=n]
	REELPOOL_TRANSFERS=$(TRANSFERS) $(if $(SEED),REELPOOL_SEED=$(SEED)) scripts/servers.sh run \
	    $(SWIFT) $(TEST) --filter '^ObjectsS3Tests\.TransferCampaignTests'

ledger-faults: test-packages ## Anything in any order against the books, and a model: OPERATIONS=100000 [SEED=n]
	REELPOOL_LEDGER_OPERATIONS=$(OPERATIONS) $(if $(SEED),REELPOOL_SEED=$(SEED)) scripts/servers.sh run \
	    $(SWIFT) $(TEST) --filter '^StoreTests\.Ledger(Random|Crash)Tests'

fixtures: release ## Render the project's own fixtures and compare
	$(REELPOOL) fixtures run $(FIXTURES)/render

bench: bench-engine bench-smart bench-chunks bench-pool bench-transfers bench-credits ## Measure everything side by side with its peers

bench-engine: release bench-packages ## Beside the ffmpeg command line; writes docs/benchmarks.md
	@scripts/bench.sh $(REELPOOL)

bench-smart: release bench-packages ## Renders that copy, beside ffmpeg and smartcut; docs/benchmarks-smart.md
	@python3 Benchmarks/smart.py --python "$$(scripts/venv.sh smart Fixtures/smart/requirements.txt)" \
	    --output docs/benchmarks-smart.md $(SMART)

bench-chunks: release bench-packages ## Renders in chunks, and what many workers would take; docs/benchmarks-chunks.md
	@python3 Benchmarks/chunks.py --python "$$(scripts/venv.sh smart Fixtures/smart/requirements.txt)" \
	    --output docs/benchmarks-chunks.md $(CHUNKS)

bench-pool: release test-packages bench-packages ## Beside TaskIQ's and Celery's workers; docs/benchmarks-pool.md
	$(SWIFT) build -c release -j $(JOBS) --product queue-bench --static-swift-stdlib
	$(SWIFT) build -c release -j $(JOBS) --product store-bench --static-swift-stdlib
	$(SWIFT) build -c release -j $(JOBS) --product isolation-bench --static-swift-stdlib
	@REELPOOL_SERVERS_FSYNC=on scripts/servers.sh run python3 Benchmarks/pool.py --clients "$$(scripts/clients.sh)" \
	    --output docs/benchmarks-pool.md

bench-transfers: release test-packages bench-packages ## Beside rclone and boto3; docs/benchmarks-transfers.md
	$(SWIFT) build -c release -j $(JOBS) --product transfer-bench --static-swift-stdlib
	@scripts/servers.sh run python3 Benchmarks/transfers.py \
	    --python "$$(scripts/venv.sh transfers Fixtures/transfers/requirements.txt)" \
	    --output docs/benchmarks-transfers.md

bench-credits: test-packages ## Holds and settlements, and a million entries; docs/benchmarks-credits.md
	$(SWIFT) build -c release -j $(JOBS) --product credit-bench --static-swift-stdlib
	@REELPOOL_SERVERS_FSYNC=on scripts/servers.sh run python3 Benchmarks/credits.py --entries $(ENTRIES) \
	    --output docs/benchmarks-credits.md

packages: ## Install the system packages that building needs
	@scripts/packages.sh build
	@scripts/build-folder.sh

test-packages: packages
	@scripts/packages.sh test

bench-packages:
	@scripts/packages.sh bench

clean: ## Remove everything that was built
	rm -rf .build $(OUT) fixture-differences
