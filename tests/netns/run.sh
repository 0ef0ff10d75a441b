#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run: every namespace test, or those named, a few at a time: run.sh [-j JOBS] [NAME...]
# Ends with `N passed, N failed, N skipped`; the exit status is 0 only if none failed.

cd "$(dirname "$0")" || exit
jobs=2 seconds=${SECONDS_MAX:-600}
if [ "${1:-}" = -j ]; then
	jobs=$2
	shift 2
fi
tests=("$@")
if [ ${#tests[@]} -eq 0 ]; then
	for script in *.sh; do
		case $script in
		lib.sh | lib-vm.sh | containers.sh | home.sh | run.sh) ;;
		*) tests+=("${script%.sh}") ;;
		esac
	done
fi

# One script's lines; one that does not come to its end is a failure by itself.
one() {
	local output status=0
	output=$(timeout -k 5 "$2" "./$1.sh" 2>&1 </dev/null) || status=$?
	printf '%s\n' "$output"
	grep -q "^end - $1\$" <<<"$output" ||
		echo "not ok - $1: the script comes to its end (status $status after $SECONDS s)"
}
export -f one

printf '%s\n' "${tests[@]}" | xargs -P "$jobs" -I '{}' bash -c 'one "$@"' one '{}' "$seconds" |
	awk -f ../../tools/tally.awk
