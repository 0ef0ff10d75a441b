#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# check: everything that must hold, and how many of it does: builds with gcc and clang, static
# checks, unit, flow and golden tests and fuzzers with sanitizers, the gateway in namespaces.  Ends
# with `N passed, N failed, N skipped`.
#
# What uses one processor runs beside what mostly waits; both write whole lines, so that each
# counts.  Outputs are kept in build/check/.

cd "$(dirname "$0")/.." || exit
build=${CHECK_BUILD:-build}
logs=$build/check
fuzz_seconds=${FUZZ_SECONDS:-5}
unset MAKEFLAGS MAKELEVEL MFLAGS B VARIANT
rm -rf "$logs"
mkdir -p "$logs"

# step NAME COMMAND...: one line for a command that succeeds or fails as a whole.
step() {
	local name=$1 started=$SECONDS
	shift
	if "$@" >"$logs/$name.log" 2>&1 </dev/null; then
		echo "ok - $name ($((SECONDS - started)) s)"
	else
		echo "not ok - $name: $*"
		tail -n 30 "$logs/$name.log" | sed 's/^/    /'
	fi
}

# makes VARIANT ARGUMENT...: make in that variant's directory.
makes() {
	local variant=$1
	shift
	make -s --no-print-directory -j "$(nproc)" B="$build/$variant" "$@"
}

builds() {
	step build-release makes release all "$build"/release/{traffic,framer,bench-engine}
	step build-asan makes asan VARIANT=asan all unit-bins
	step build-clang makes clang CC=clang VARIANT=plain objects
	step build-fuzz makes fuzz CC=clang VARIANT=fuzz fuzz-bins
}

# Each test of a Criterion program has its line; a program that dies has one for itself.
units() {
	local program name log status
	for program in "$build"/asan/tests/{unit,flow,golden}/*; do
		[ -x "$program" ] && [ ! -d "$program" ] || continue
		name=${program#"$build"/asan/tests/}
		log=$logs/${name//\//-}
		status=0
		timeout 120 "$program" --jobs 1 --tap="$log.tap" >"$log.log" 2>&1 </dev/null ||
			status=$?
		sed -nE "s|^(not ok\|ok) - |\1 - $name: |p; /^ /p" "$log.tap"
		if [ $status -ne 0 ] && ! grep -q '^not ok' "$log.tap"; then
			echo "not ok - $name: ends with status $status"
			tail -n 20 "$log.log" | sed 's/^/    /'
		fi
	done
}

fuzzers() {
	local source name
	for source in tests/fuzz/*.c; do
		name=$(basename "$source" .c)
		step "fuzz-$name" makes fuzz CC=clang VARIANT=fuzz fuzz-run FUZZ="$name" \
			FUZZ_SECONDS="$fuzz_seconds"
	done
}

statics() {
	local target
	for target in purity layers sizes rfc format tidy cppcheck; do
		step "$target" make -s --no-print-directory B="$build/release" "$target"
	done
	step embed makes asan VARIANT=asan check-embed
	step shellcheck shellcheck --severity=warning .ci/run {tools,tests/netns,tests/bench}/*.sh \
		tests/vm/*
	step manuals mandoc -T lint -W warning cmd/*/*.[1-8]
}

namespaces() {
	TUNGATE_BUILD=$(realpath "$build/asan") tests/netns/run.sh -j 2 |
		grep --line-buffered -vE '^[0-9]+ passed'
}

everything() {
	builds
	{
		statics
		units
	} &
	namespaces
	fuzzers
	wait
	step demo env TUNGATE_BUILD="$(realpath "$build/release")" tools/demo.sh
}

everything | awk -f tools/tally.awk
