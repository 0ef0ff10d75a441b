/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track_tcp: the four bounds of the window, scaling, and selective acknowledgments.
 */
#include "../support/segments.h"

/* Rows of segments read better in columns of their own. */
/* clang-format off */

Test(window, bound_1_sequence_within_what_was_allowed)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "A", 1 + 65535, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1 + 65536, 1, 65535, 0, "", INVALID, ESTABLISHED, 0},
		{R, "A", 1, 1, 20000, 0, "", ACCEPT, ESTABLISHED, 0}, /* shrinking takes nothing back */
		{O, "A", 1 + 65535, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
}

Test(window, a_segment_without_ack_is_no_part)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "P", 1, 0, 65535, 10, "", INVALID, ESTABLISHED, 0});
}

Test(window, bound_3_acknowledgment_of_nothing_unsent)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "A", 1, 1, 65535, 1000, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 1002, 65535, 0, "", INVALID, ESTABLISHED, 0},
		{R, "A", 1, 1001, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
}

Test(window, bound_2_old_data_passes_and_says_nothing)
{
	struct tcp_track track = {};

	RUN(&track, HANDSHAKE);
	send_300000(&track);
	RUN(&track,
		{O, "A", 300001 - 65535, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 300001 - 65536, 1, 65535, 0, "", QUIET, ESTABLISHED, 0},
		{O, "A", 1, 1, 65535, 1460, "", QUIET, ESTABLISHED, 0});
}

Test(window, bound_4_old_acknowledgments_pass_and_say_nothing)
{
	struct tcp_track track = {};

	RUN(&track, HANDSHAKE);
	send_300000(&track);
	RUN(&track,
		{R, "A", 1, 300001 - 66000, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 300001 - 66001, 65535, 0, "", QUIET, ESTABLISHED, 0},
		{R, "FA", 1, 300001 - 66001, 65535, 0, "", QUIET, ESTABLISHED, 0});
}

Test(window, scaled_when_both_say_so)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "s7", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "s8", ACCEPT, SYN_RECEIVED, 0}, /* not scaled itself */
		{O, "A", 1 + 65536, 1, 500, 0, "t", INVALID, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 1000, 0, "t", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 1, 1000, 0, "t", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1 + 256000, 1, 1000, 0, "t", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1 + 256001, 1, 1000, 0, "t", INVALID, ESTABLISHED, 0},
		{R, "A", 1 + 128000, 1, 1000, 0, "t", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1 + 128001, 1, 1000, 0, "t", INVALID, ESTABLISHED, 0});
}

Test(window, not_scaled_when_one_does_not)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "s7", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 1000, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 2000, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 1, 1000, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1 + 1001, 1, 2000, 0, "", INVALID, ESTABLISHED, 0},
		{R, "A", 1 + 65535, 1, 1000, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1 + 65536, 1, 1000, 0, "", INVALID, ESTABLISHED, 0});
}

Test(window, closed_window_admits_a_probe)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "A", 1, 1, 65535, 65535, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 65536, 0, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 65535, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0}, /* keep-alive */
		{O, "A", 65536, 1, 65535, 1, "", ACCEPT, ESTABLISHED, 0}, /* window probe */
		{R, "A", 1, 65537, 0, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 65539, 1, 65535, 1, "", INVALID, ESTABLISHED, 0});
}

Test(window, not_scaled_when_only_the_answer_says_so)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 1000, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "s8", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 1000, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 1, 1000, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1 + 65535, 1, 1000, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1 + 65536, 1, 1000, 0, "", INVALID, ESTABLISHED, 0});
}

Test(window, reaches_back_as_far_as_the_receivers)
{
	/* the client takes 1000 bytes at a time, the server 65535 */
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 1000, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 1000, 10000, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 10001, 65535, 1000, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 10001, 1001, 1000, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1001, 10001, 65535, 1000, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1, 2001, 1000, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1001, 10001, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1000, 10001, 65535, 0, "", QUIET, ESTABLISHED, 0},
		/* more than it takes: it must have said so where we did not hear it */
		{R, "A", 2001, 10001, 65535, 1600, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 3601 - 1600, 10001, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 3601 - 1601, 10001, 65535, 0, "", QUIET, ESTABLISHED, 0});
}

Test(window, selective_acknowledgments_widen_it)
{
	/* the window reaches from the acknowledgment, over the hole, to the right edge and on */
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "k", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 10000, 0, "k", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 65535, 9000, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 1, 10000, 0, "", ACCEPT, ESTABLISHED, 9001},
		{O, "A", 9001, 1, 65535, 10000, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 19001 - 19000, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 19001 - 19001, 1, 65535, 0, "", QUIET, ESTABLISHED, 0});
}

Test(window, super_packet_counts_in_full)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "A", 1, 1, 65535, 64000, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 64001, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
}

Test(window, selective_acknowledgments_count)
{
	struct tcp_track track = {};

	RUN(&track,
		{O, "S", 0, 0, 65535, 0, "k", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "k", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 65535, 40000, "", ACCEPT, ESTABLISHED, 0},
		/* of what was not sent */
		{R, "A", 1, 1, 65535, 0, "", INVALID, ESTABLISHED, 50001},
		/* the window reaches on from the right edge */
		{R, "A", 1, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 40001},
		{O, "A", 40001 + 65535, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 40001 + 65536, 1, 65535, 0, "", INVALID, ESTABLISHED, 0});
}

Test(window, sack_blocks_mean_nothing_if_not_permitted)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "A", 1, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 50001});
}
