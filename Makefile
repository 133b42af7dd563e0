# What a newcomer types. Thin: CMakePresets.json says how things are built, tools/ does the work.
#   make demo       set up, build, run weir on examples/ and show what it finds
#   make test       set up, build with sanitizers, run all tests
#   make install    PREFIX=/usr/local, DESTDIR for packagers
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60

.PHONY: all demo test bench fuzz lint install go-matrix clean
all: build/release/bin/weir

# Ninja decides what is out of date, so this always asks it.
.PHONY: build/release/bin/weir
build/release/bin/weir:
	@tools/setup
	@tools/build release

demo: build/release/bin/weir
	@examples/demo

test:
	@tools/setup
	@tools/build dev
	@tools/run-tests

bench:
	@tools/setup
	@tools/build bench
	@tools/run-benchmarks

fuzz:
	@tools/setup fuzz
	@tools/build fuzz
	@tools/run-fuzzers $(FUZZ_SECONDS)

lint:
	@tools/setup lint
	@tools/lint

install: build/release/bin/weir
	@DESTDIR="$(DESTDIR)" cmake --install build/release --prefix "$(PREFIX)"

go-matrix:
	@tools/setup
	@tools/go-matrix

clean:
	rm -rf build
