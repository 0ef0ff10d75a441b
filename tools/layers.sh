#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# layers: who may include whom.  Includes go downwards only, and the pure floors see no system
# header that could tempt them.  Reads the #include lines of every file below src, cmd, include
# and examples.
set -euo pipefail
cd "$(dirname "$0")/.."

# directory: what it may include besides itself; * is everything in src
rules='
include/tungate: base
src/base:
src/wire:        base tungate
src/engine:      base tungate wire
src/helper:      base tungate wire engine
src/lan:         base tungate wire
src/config:      base tungate
src/import:      base tungate config/words.h
src/host:        base tungate wire
src/link:        base tungate wire lan host
src/dns:         base tungate host
src/control:     base tungate
src/daemon:      *
cmd/tungated:    base tungate daemon
cmd/tungate:     base tungate control/protocol.h control/client.h import/import.h
cmd/tungate-cni: base tungate control/protocol.h control/client.h
examples:        tungate
'
pure='base wire engine helper lan config import'
# Types, constants and functions on memory; that nothing else is called, purity proves.
harmless='
arpa/inet.h assert.h ctype.h errno.h ini.h inttypes.h limits.h linux/virtio_net.h netinet/in.h
stdarg.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h sys/socket.h
'

git ls-files --cached --others --exclude-standard -- src cmd include examples |
	grep '\.[ch]$' | sort | xargs awk \
	-v rules="$rules" -v pure="$pure" -v harmless="$harmless" '
function complain(what) {
	printf "%s:%d: %s\n", FILENAME, FNR, what > "/dev/stderr"
	failed = 1
}
function allowed(dir, header,    own, top) {
	own = dir
	sub(/.*\//, "", own)
	top = header
	sub(/\/.*/, "", top)
	return index(header, "/") == 0 || top == own || may[dir, "*"] || may[dir, top] ||
		may[dir, header]
}
BEGIN {
	count = split(rules, line, "\n")
	for (i = 1; i <= count; i++) {
		words = split(line[i], word, /[: ]+/)
		if (words == 0 || word[1] == "")
			continue
		known[word[1]] = 1
		for (j = 2; j <= words; j++)
			may[word[1], word[j]] = 1
	}
	count = split(pure, word, " ")
	for (i = 1; i <= count; i++)
		is_pure["src/" word[i]] = 1
	is_pure["include/tungate"] = 1
	count = split(harmless, word, /[ \n]+/)
	for (i = 1; i <= count; i++)
		is_harmless[word[i]] = 1
}
FNR == 1 {
	files++
	dir = FILENAME
	sub(/\/[^\/]*$/, "", dir)
	if (!known[dir])
		complain(dir " is on no floor: give it a line in tools/layers.sh")
}
/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
	quoted = $0 ~ /include[ \t]*"/
	header = $0
	sub(/^[^<"]*[<"]/, "", header)
	sub(/[>"].*/, "", header)
	if (quoted && !allowed(dir, header))
		complain(dir " must not include " header)
	if (!quoted && is_pure[dir] && !is_harmless[header])
		complain("<" header "> is not for pure code")
}
END {
	if (!failed)
		print "layers: " files " files include downwards only"
	exit failed
}'
