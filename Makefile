# `make demo` and `make test` work on a fresh machine that has Rust: see .ci/prepare.
#
# Both build the dev profile. HiGHS (C++, optimised in every profile) is most of a cold build, and one profile compiles
# it once for the demo and the tests; a release build costs half as much time again.

PORT ?= 8080
ARGS ?=

.PHONY: help demo test
.DEFAULT_GOAL := help

help:
	@echo 'make demo               the golden example: solves the call of Lyon, then serves the API on port 8080'
	@echo 'make demo ARGS=--once   the same, and stops'
	@echo 'make demo PORT=9000     the same, on another port'
	@echo 'make test               every test, on SQLite and on PostgreSQL'
	@echo
	@echo 'What is missing on this machine is installed first (.ci/prepare). The first build takes 10 to 15 minutes'
	@echo 'on two cores. CARGO_TARGET_DIR is respected.'

# No -p: the features of the whole workspace, as in `make test`, or HiGHS would be compiled a second time.
demo:
	@.ci/prepare cargo run --locked --bin attelage -- demo --port $(PORT) $(ARGS)

test:
	@.ci/prepare --tests cargo test --workspace --locked
