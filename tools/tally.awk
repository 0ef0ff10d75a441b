# SPDX-License-Identifier: BSD-2-Clause
# tally: pass lines through, count `ok`, `not ok` and `skip`, and close with the sums.
/^ok( |$)/ { passed++ }
/^not ok( |$)/ { failed++ }
/^skip( |$)/ { skipped++ }
!/^end - / { print; fflush() }
END {
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed > 0
}
