# What there is to do with Holdfast. `make` lists it. Only Go, make and a C compiler (for the race detector) are needed; tools are
# pinned here and run by the go command, which fetches and builds them the first time.

.DEFAULT_GOAL := help

GO           ?= go
GOLANGCI     ?= $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
WORKFLOWCHECK = $(GO) run go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0

# The packages that hold workflow functions.
WORKFLOWS = ./workflows/... ./examples/...

# What else to pass: make run ARGS=--ephemeral, make test ARGS='-run TestCounter'.
ARGS ?=

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Start everything in one process: Temporal, its Web UI, worker, pages (the first build takes minutes)
	$(GO) run ./dev $(ARGS)

.PHONY: test
test: vet test-root test-dev workflowcheck ## Run everything that must pass: vet, all tests of both modules, workflowcheck

.PHONY: vet
vet: ## Run go vet on both modules
	$(GO) vet ./...
	cd dev && $(GO) vet ./...

.PHONY: test-root
test-root: ## Test the library, with the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 15m ./... $(ARGS)
	$(GO) test -run Overlap ./state/sqlite # with the race detector it counts less far

.PHONY: test-dev
test-dev: ## Test the whole, end to end, with an embedded Temporal server and a browser if there is one
	cd dev && $(GO) test -timeout 30m ./... $(ARGS)

.PHONY: workflowcheck
workflowcheck: ## Look for what is not deterministic in workflows (exceptions: workflowcheck.config.yaml)
	$(WORKFLOWCHECK) -test=false -show-pos -config workflowcheck.config.yaml $(WORKFLOWS)

.PHONY: bench
bench: ## Run the benchmarks of both modules
	$(GO) test -run '^$$' -bench . -benchmem -timeout 30m ./... $(ARGS)
	cd dev && $(GO) test -run '^$$' -bench . -benchmem -timeout 30m ./... $(ARGS)

.PHONY: lint
lint: ## Run golangci-lint on both modules (one of your own: make lint GOLANGCI=golangci-lint)
	$(GOLANGCI) run $(ARGS) ./...
	cd dev && $(GOLANGCI) run $(ARGS) ./...

.PHONY: fmt
fmt: ## Format the Go files
	$(GOLANGCI) fmt ./...
	cd dev && $(GOLANGCI) fmt ./...

.PHONY: tidy
tidy: ## Tidy the module files
	$(GO) mod tidy
	cd dev && $(GO) mod tidy

.PHONY: example-config
example-config: ## Write holdfast.example.yaml anew from the table of keys
	HOLDFAST_TEST_UPDATE=1 $(GO) test -count=1 -run TestExampleFile ./config

.PHONY: golden
golden: ## Record the histories of golden tasks that have none yet
	cd dev && HOLDFAST_TEST_UPDATE=1 $(GO) test -trimpath -count=1 ./golden # no machine's paths in the stacks

.PHONY: pictures
pictures: ## Take the pictures of the README anew (needs Chromium)
	cd dev && $(GO) run ./pictures ../docs/pictures

.PHONY: clean
clean: ## Remove build output and all data of `make run`: sessions, tasks, histories
	rm -rf .bin .holdfast dev/.holdfast
