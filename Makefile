# Two commands do it all: `make demo` and `make test`. Both install what is missing first.
#
#   make setup    only install what is missing
#   make demo     cameras in, alerts out, on this machine, until Ctrl-C
#                 CAMERA=rtsp://user:password@host/path  your own camera (make wants $$ for each $)
#                 VIDEO=file.mp4                         your own recording
#                 MODEL=dir                              another detector (default models/yard-nano)
#   make test     format, lints, licences, all tests
#   make bench    cost per camera, memory and latency on this machine
#   make proof    that nothing is lost, small numbers of everything (about three minutes); docs/proof.md has the large ones

ORT_DYLIB_PATH ?= $(CURDIR)/.karaul/onnxruntime/libonnxruntime.so
export ORT_DYLIB_PATH

.PHONY: setup demo test bench proof

setup:
	@tools/setup.sh

# Nothing is said when there is nothing to do; the first build takes a few minutes.
announce = @test -x target/release/$(1) || echo "building (a few minutes the first time)"

demo: setup
	$(call announce,karaul-demo)
	@cargo build --quiet --release -p karaul -p karaul-simulator -p karaul-stage
	@target/release/karaul-demo

test: setup
	@tools/check.sh

bench: setup
	$(call announce,karaul-bench)
	@cargo build --quiet --release -p karaul -p karaul-simulator -p karaul-stage -p karaul-bench
	@target/release/karaul-bench $(BENCH)

proof: setup
	$(call announce,karaul-proof)
	@cargo build --quiet --release -p karaul-proof
	@echo "about three minutes"
	@target/release/karaul-proof storm --alerts 2000 --broker-restarts 20 --kills 20
	@target/release/karaul-proof storm --receipts --alerts 2000 --broker-restarts 20 --kills 20
	@target/release/karaul-proof power-cut --seeds 2
	@target/release/karaul-proof outage --hours 2 --backlog-rate 1000
	@target/release/karaul-proof pace --seconds 5
	@target/release/karaul-proof quota --mib 16
	@target/release/karaul-proof link --quick
