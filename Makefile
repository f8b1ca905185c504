# argo-bridge: what a developer or a newcomer runs. `make help` lists it.
export CGO_ENABLED ?= 0
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOLANGCI_LINT_VERSION ?= v2.5.0
CLUSTER_DIR ?= .local/cluster
GO_PACKAGES := ./...

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: build
build: ## build bin/argo-bridge
	@echo "building bin/argo-bridge (the first time compiles its libraries: some minutes)"
	@go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/argo-bridge ./cmd/argo-bridge

.PHONY: local-cluster
local-cluster: ## build bin/local-cluster: Kubernetes and Argo for this machine, without containers
	@$(MAKE) --no-print-directory -C deploy/local build

.PHONY: demo
demo: local-cluster build ## the whole way of an event on real parts, told as it happens; KEEP=1 leaves it running until Ctrl-C
	@go build -o bin/demo ./cmd/demo
	@bin/demo $(if $(KEEP),--keep)

.PHONY: test
test: local-cluster build ## all tests: unit, in process, and end to end on the local cluster
	@echo "compiling the tests (the first time takes some minutes)"
	@go vet $(GO_PACKAGES)
	@go test -timeout 30m $(GO_PACKAGES)
	@$(MAKE) --no-print-directory -C deploy/local test

.PHONY: test-unit
test-unit: ## the tests that need no cluster
	@go test -short -timeout 10m $(GO_PACKAGES)

.PHONY: test-race
test-race: ## the tests that need no cluster under the race detector; wants a C compiler
	@CGO_ENABLED=1 go test -short -race -timeout 20m $(GO_PACKAGES)

.PHONY: e2e
e2e: local-cluster build ## the end-to-end tests alone
	@go test -count=1 -timeout 30m -v ./deploy/...

.PHONY: chaos
chaos: local-cluster ## 5,000 events while everything breaks; up to 15 minutes. CHAOS_SEED=N repeats a run
	@CHAOS_EVENTS=$${CHAOS_EVENTS:-5000} CHAOS_FOR=$${CHAOS_FOR:-6m} \
		go test -count=1 -timeout 15m -v -run '^TestChaos$$' ./deploy/chaos

.PHONY: flow
flow: local-cluster ## 200 random schedules for each policy of concurrency; one to three minutes. FLOW_SEED=N repeats a run
	@FLOW_SCHEDULES=$${FLOW_SCHEDULES:-200} FLOW_BRIDGES=$${FLOW_BRIDGES:-3} \
		go test -count=1 -timeout 15m -v -run '^TestConcurrency' ./deploy/flow

.PHONY: soak
soak: local-cluster ## a steady rate for an hour, after which nothing may have grown; SOAK=10m for less
	@SOAK=$${SOAK:-1h} go test -count=1 -timeout 2h -v -run '^TestSoak$$' ./deploy/e2e

.PHONY: bench
bench: local-cluster ## the measurements of docs/performance.md; takes some minutes
	@go test -run '^$$' -bench . -benchtime 1s ./bridge/... ./adapters/... ./workflowtemplates/...
	@go test -run '^$$' -bench . -benchtime 1x -timeout 30m ./deploy/e2e

.PHONY: lint
lint: ## golangci-lint and the project's own examples
	@go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION) run
	@go run ./cmd/argo-bridge lint workflowtemplates/examples

.PHONY: fmt
fmt: ## format the code
	@gofmt -w $$(git ls-files '*.go')

.PHONY: cluster-up
cluster-up: local-cluster ## start the local cluster and write its kubeconfig
	@bin/local-cluster up --dir $(CLUSTER_DIR)
	@echo "use it:  export KUBECONFIG=$(CURDIR)/$(CLUSTER_DIR)/kubeconfig; bin/local-cluster kubectl get workflows"

.PHONY: cluster-down
cluster-down: ## stop the local cluster
	@bin/local-cluster down --dir $(CLUSTER_DIR)

.PHONY: clean
clean: ## remove what was built
	@rm -rf bin .local deploy/local/argo-src
