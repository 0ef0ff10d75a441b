#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# rfc: every test that docs/rfc.md names is there, and every row of its tables names one.  A test is
# `suite.name` (unit and flow tests) or `netns/script`.
cd "$(dirname "$0")/.." || exit

known=$(
	sed -nE 's/^(STORY|Test|ParameterizedTest|TheoryTest)\(([a-z0-9_]+), ([a-z0-9_]+).*/\2.\3/p' \
		tests/unit/*.c tests/flow/*.c tests/golden/*.c
	for script in tests/netns/*.sh; do
		echo "netns/$(basename "$script" .sh)"
	done
	for program in tests/fuzz/*.c; do
		echo "fuzz/$(basename "$program" .c)"
	done
)

# The last column of a row holds its tests.
awk -F'|' -v known="$known" '
	BEGIN {
		count = split(known, names, "\n")
		for (i = 1; i <= count; i++)
			there[names[i]] = 1
	}
	!/^\|/ || /^\|[-| ]*$/ || $2 ~ /^ *(ID|Case|Attack) *$/ { next }
	{
		rows++
		found = 0
		rest = $(NF - 1)
		while (match(rest, /`[^`]*`/)) {
			name = substr(rest, RSTART + 1, RLENGTH - 2)
			rest = substr(rest, RSTART + RLENGTH)
			found++
			tests++
			if (!(name in there)) {
				printf "docs/rfc.md:%d: no test is called %s\n", NR, name
				bad = 1
			}
		}
		if (!found) {
			printf "docs/rfc.md:%d: a row without a test\n", NR
			bad = 1
		}
	}
	END {
		printf "rfc: %d rows name %d tests\n", rows, tests
		exit bad
	}
' docs/rfc.md
