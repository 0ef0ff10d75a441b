#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# agent-sandbox.sh: run a command where it reaches the domains of agent-sandbox.conf and nothing
# else, and say afterwards which names it was refused.
#
#	tungated -c examples/agent-sandbox.conf &
#	examples/agent-sandbox.sh curl -sI https://pypi.org/
set -u

if [ $# -eq 0 ]; then
	echo "usage: $0 COMMAND [ARGUMENT...]" >&2
	exit 2
fi
name=agent-$$

tungate run --network sandbox --name "$name" -- "$@"
status=$?
tungate domains | awk -v link="$name" '
	$1 == link && ($6 == "refused" || $6 == "rejected") { print "sandbox: " $6 ": " $4 }
' >&2
exit $status
