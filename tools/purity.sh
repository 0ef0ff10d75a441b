#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# purity LIBRARY ALLOWED: prove that a library calls nothing from outside but what a list allows,
# and has no variable of its own: no system call, no clock, no state besides what callers hold.
set -euo pipefail

library=$1
allowed=$2

# What is used and not defined by the library itself, without the fortified variants' clothes.
outside() {
	comm -23 \
		<(nm --undefined-only "$library" | awk 'NF == 2 { print $2 }' | sort -u) \
		<(nm --defined-only "$library" | awk 'NF == 3 { print $3 }' | sort -u) |
		sed -E 's/^__(.*)_chk$/\1/' | sort -u
}

# Objects in sections that are written to.  Constants with addresses in them (.data.rel.ro) are not.
variables() {
	objdump --syms "$library" | awk '/ \.(t?data|t?bss)/ && !/ d | \.data\.rel\.ro/ { print $NF }' |
		sort -u
}

status=0
impure=$(outside | sort | comm -23 - <(awk '/^[^#]/ { print $1 }' "$allowed" | sort -u))
for symbol in $impure; do
	users=$(nm -A --undefined-only "$library" |
		awk -v s="$symbol" '$NF == s || $NF == "__" s "_chk" { split($1, part, ":"); print part[2] }' | sort -u)
	echo "purity: $symbol is not in $allowed; used by" $users >&2
	status=1
done
for symbol in $(variables); do
	echo "purity: $symbol is a variable" >&2
	status=1
done
[ $status = 0 ] && echo "purity: $(outside | wc -l) symbols from outside, all allowed; no variable"
exit $status
