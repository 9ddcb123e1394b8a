# The front door; CMakePresets.json and scripts/ do the work.

.PHONY: run test build packages fmt fmt-check lint tidy bench fuzz soak dev clang tsan release e2e faults clean

# Builds the gateway and shows it at work (preview without MACKEREL_APIKEY), until Ctrl-C.
run:
	@scripts/packages build
	@cmake --preset release >/dev/null
	@cmake --build --preset release --target mackerel-otel-gateway
	@exec scripts/run

# Everything: build and tests with gcc and clang, sanitizers, lint, real clients. Under 20 minutes.
test: packages
	@scripts/test

build:
	@cmake --preset release >/dev/null
	@cmake --build --preset release

packages:
	@scripts/packages test

fmt:
	@scripts/format

fmt-check:
	@scripts/format --check

# One step of `make test`.
lint dev clang tsan release e2e faults tidy:
	@scripts/test $@

bench: build
	@scripts/bench

# FUZZ_SECONDS for each target.
fuzz:
	@scripts/fuzz run $(FUZZ_SECONDS)

# Over 10,000 simulated kills, outages of a day, 300 kills of the real binary. Half an hour.
soak: packages
	@scripts/soak

clean:
	rm -rf build
