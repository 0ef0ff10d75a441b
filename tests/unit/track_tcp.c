/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track_tcp: the ways in which connections open, close, break and begin again.
 */
#include "../support/segments.h"

/* Rows of segments read better in columns of their own. */
/* clang-format off */

/* ---- opening ---- */

Test(opening, only_a_pure_syn_opens)
{
	static const char *const others[] = {"A", "SA", "F", "FA", "R", "RA", "PA", "SF", "SR", "P"};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		RUN(&(struct tcp_track){}, {O, others[i], 0, 1, 1000, 0, "", INVALID, TCP_STATE_NONE, 0});
}

Test(opening, three_way_handshake)
{
	RUN(&(struct tcp_track){}, HANDSHAKE);
}

Test(opening, repeated_syn_refreshes_nothing)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "s7", ACCEPT, SYN_SENT, 0},
		{O, "S", 0, 0, 65535, 0, "s7", QUIET, SYN_SENT, 0},
		{O, "S", 0, 0, 65535, 0, "", QUIET, SYN_SENT, 0},
		/* another attempt from the same port: only the last one counts */
		{O, "S", 9000, 0, 65535, 0, "s7", QUIET, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "s7", QUIET, SYN_SENT, 0},
		{R, "SA", 0, 9001, 65535, 0, "s7", ACCEPT, SYN_RECEIVED, 0},
		{O, "S", 9000, 0, 65535, 0, "s7", QUIET, SYN_RECEIVED, 0},
		{R, "SA", 0, 9001, 65535, 0, "s7", QUIET, SYN_RECEIVED, 0},
		{O, "A", 9001, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		/* late copies of the handshake change nothing */
		{R, "SA", 0, 9001, 65535, 0, "s7", QUIET, ESTABLISHED, 0});
}

Test(opening, simultaneous_open)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT2, 0},
		{R, "S", 0, 0, 65535, 0, "", QUIET, SYN_SENT2, 0},
		{R, "S", 77, 0, 65535, 0, "", INVALID, SYN_SENT2, 0},
		{O, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "SA", 0, 1, 65535, 0, "", QUIET, SYN_RECEIVED, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1, 1, 65535, 100, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 101, 65535, 100, "", ACCEPT, ESTABLISHED, 0});
}

Test(opening, simultaneous_open_with_plain_acks)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT2, 0},
		{O, "A", 1, 1, 65535, 500, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 501, 1, 65535, 500, "", ACCEPT, SYN_RECEIVED, 0},
		{R, "A", 1, 1001, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
}

Test(opening, a_forged_syn_does_not_stop_the_answer)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "S", 5555, 0, 100, 0, "", ACCEPT, SYN_SENT2, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
}

Test(opening, fast_open_data)
{
	/* all of it acknowledged; the server answers before the handshake is over */
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 500, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 501, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{R, "A", 1, 501, 65535, 1400, "", ACCEPT, SYN_RECEIVED, 0},
		{R, "A", 1401, 501, 65535, 1400, "", ACCEPT, SYN_RECEIVED, 0},
		{R, "SA", 0, 501, 65535, 0, "", QUIET, SYN_RECEIVED, 0},
		{O, "A", 501, 2801, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
	/* only the SYN acknowledged: sent again as ordinary data */
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 500, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 65535, 500, "", ACCEPT, ESTABLISHED, 0});
	/* a reset is expected where the acknowledged data ends */
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 500, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 501, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "R", 1, 0, 0, 0, "", INVALID, SYN_RECEIVED, 0});
}

Test(opening, given_up_by_the_client)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{O, "R", 0, 0, 0, 0, "", INVALID, SYN_SENT, 0},
		{O, "R", 1, 0, 0, 0, "", ACCEPT, CLOSE, 0});
}

Test(opening, a_syn_cookie_may_change)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "S", 0, 0, 65535, 0, "", QUIET, SYN_RECEIVED, 0},
		{R, "SA", 0x12345678, 1, 65535, 0, "", QUIET, SYN_RECEIVED, 0},
		{O, "A", 1, 0x12345679, 65535, 10, "", ACCEPT, ESTABLISHED, 0});
}

Test(opening, the_final_ack_must_acknowledge_the_syn)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 0, 65535, 0, "", INVALID, SYN_RECEIVED, 0},
		{O, "A", 1, 2, 65535, 0, "", INVALID, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
}

Test(opening, nothing_else_goes_before_an_answer)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{O, "A", 1, 1, 65535, 0, "", INVALID, SYN_SENT, 0},
		{O, "SA", 0, 1, 65535, 0, "", INVALID, SYN_SENT, 0},
		{O, "FA", 1, 1, 65535, 0, "", INVALID, SYN_SENT, 0},
		{R, "FA", 1, 1, 65535, 0, "", INVALID, SYN_SENT, 0});
}

Test(opening, refused_and_asked_again)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "R", 0, 0, 0, 0, "", INVALID, SYN_SENT, 0},    /* acknowledges nothing */
		{R, "RA", 0, 2, 0, 0, "", INVALID, SYN_SENT, 0},   /* something else */
		{R, "RA", 0, 1, 0, 0, "", ACCEPT, CLOSE, 0},
		{R, "RA", 0, 1, 0, 0, "", INVALID, CLOSE, 0},
		{R, "SA", 0, 1, 65535, 0, "", INVALID, CLOSE, 0},
		{O, "S", 70000, 0, 65535, 0, "", REOPEN, CLOSE, 0});
}

/* ---- closing ---- */

Test(closing, by_the_client)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "FA", 1, 1, 65535, 10, "", ACCEPT, FIN_WAIT, 0},
		{R, "A", 1, 11, 65535, 100, "", ACCEPT, FIN_WAIT, 0}, /* its data, not its FIN */
		{R, "A", 101, 12, 65535, 100, "", ACCEPT, CLOSE_WAIT, 0},
		{O, "A", 12, 201, 65535, 0, "", ACCEPT, CLOSE_WAIT, 0},
		{R, "FA", 201, 12, 65535, 0, "", ACCEPT, LAST_ACK, 0},
		{R, "FA", 201, 12, 65535, 0, "", ACCEPT, LAST_ACK, 0},
		{O, "A", 12, 201, 65535, 0, "", ACCEPT, LAST_ACK, 0}, /* not for the FIN */
		{O, "A", 12, 202, 65535, 0, "", ACCEPT, TIME_WAIT, 0},
		{R, "FA", 201, 12, 65535, 0, "", QUIET, TIME_WAIT, 0},
		{O, "A", 12, 202, 65535, 0, "", QUIET, TIME_WAIT, 0});
}

Test(closing, by_the_server_at_once)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "FA", 1, 1, 65535, 300, "", ACCEPT, FIN_WAIT, 0},
		{O, "FA", 1, 302, 65535, 0, "", ACCEPT, LAST_ACK, 0},
		{R, "A", 302, 2, 65535, 0, "", ACCEPT, TIME_WAIT, 0});
}

Test(closing, both_at_once)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{R, "FA", 1, 1, 65535, 0, "", ACCEPT, LAST_ACK, 0},
		{O, "A", 2, 2, 65535, 0, "", ACCEPT, LAST_ACK, 0},
		{R, "A", 2, 2, 65535, 0, "", ACCEPT, TIME_WAIT, 0});
}

Test(closing, the_server_before_the_handshake_is_over)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{R, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{O, "A", 1, 2, 65535, 0, "", ACCEPT, CLOSE_WAIT, 0});
}

Test(closing, repeated_fin_is_not_the_others)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{O, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{R, "A", 1, 2, 65535, 0, "", ACCEPT, CLOSE_WAIT, 0},
		{O, "FA", 1, 1, 65535, 0, "", ACCEPT, CLOSE_WAIT, 0});
}

Test(closing, nothing_follows_a_fin)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{O, "A", 2, 1, 65535, 10, "", INVALID, FIN_WAIT, 0},
		{O, "FA", 12, 1, 65535, 0, "", INVALID, FIN_WAIT, 0},
		{O, "A", 2, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0});
}

Test(closing, fin_out_of_the_window_changes_nothing)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "FA", 100000, 1, 65535, 0, "", INVALID, ESTABLISHED, 0},
		{R, "FA", (uint32_t)-100000, 1, 65535, 0, "", QUIET, ESTABLISHED, 0},
		{O, "FA", 1, 500, 65535, 0, "", INVALID, ESTABLISHED, 0});
}

Test(closing, time_wait_is_reopened_by_the_client_alone)
{
	struct tcp_track track = {};

	RUN(&track, HANDSHAKE,
		{O, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{R, "FA", 1, 2, 65535, 0, "", ACCEPT, LAST_ACK, 0},
		{O, "A", 2, 2, 65535, 0, "", ACCEPT, TIME_WAIT, 0},
		{R, "S", 50000, 0, 65535, 0, "", INVALID, TIME_WAIT, 0},
		{O, "R", 2, 0, 0, 0, "", QUIET, TIME_WAIT, 0}, /* RFC 1337 */
		{O, "R", 900000, 0, 0, 0, "", INVALID, TIME_WAIT, 0},
		{R, "A", 900000, 2, 100, 5, "", INVALID, TIME_WAIT, 0},
		{O, "S", 50000, 0, 65535, 0, "", REOPEN, TIME_WAIT, 0});
}

/* ---- resets ---- */

Test(reset, exact_one_closes)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "RA", 1, 1, 0, 0, "", ACCEPT, CLOSE, 0},
		/* what was on its way passes, and does not keep the record */
		{O, "A", 1, 1, 65535, 100, "", QUIET, CLOSE, 0},
		{O, "A", 900000, 1, 65535, 100, "", INVALID, CLOSE, 0},
		{R, "R", 1, 0, 0, 0, "", QUIET, CLOSE, 0},
		{R, "SA", 1, 1, 65535, 0, "", QUIET, CLOSE, 0},
		{R, "S", 9999, 0, 65535, 0, "", INVALID, CLOSE, 0});
	/* right behind its own data */
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "A", 1, 1, 65535, 500, "", ACCEPT, ESTABLISHED, 0},
		{O, "R", 501, 0, 0, 0, "", ACCEPT, CLOSE, 0});
	/* of a server that does not want the connection after all */
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{R, "R", 1, 0, 0, 0, "", ACCEPT, CLOSE, 0});
}

/* nf_conntrack_packetdrill: conntrack_rst_invalid */
Test(reset, inexact_ones_leave_an_open_connection_alone)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "A", 1, 1, 65535, 1000, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1001, 1, 65535, 1000, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 2001, 1, 65535, 1000, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1, 3001, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "R", 0, 0, 0, 0, "", INVALID, ESTABLISHED, 0},
		{R, "R", 1000000, 0, 0, 0, "", INVALID, ESTABLISHED, 0},
		{R, "R", 42, 0, 0, 0, "", INVALID, ESTABLISHED, 0},
		{R, "RA", 3000, 1, 0, 0, "", INVALID, ESTABLISHED, 0},
		/* in the window ahead: for the client to challenge */
		{R, "R", 3002, 0, 0, 0, "", QUIET, ESTABLISHED, 0},
		{O, "A", 1, 3001, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "R", 3001 + 65535, 0, 0, 0, "", QUIET, ESTABLISHED, 0},
		{R, "R", 3001 + 65536, 0, 0, 0, "", INVALID, ESTABLISHED, 0},
		{R, "RA", 3001, 1, 0, 0, "", ACCEPT, CLOSE, 0});
}

/* nf_conntrack_packetdrill: conntrack_inexact_rst */
Test(reset, inexact_ones_end_a_closing_connection)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "A", 1, 1, 65535, 3000, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1, 3001, 65535, 1000, "", ACCEPT, ESTABLISHED, 0},
		{R, "FA", 3001, 1001, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{O, "A", 1001, 3002, 65535, 0, "", ACCEPT, CLOSE_WAIT, 0},
		{O, "RA", 1001, 3002, 65535, 0, "", ACCEPT, CLOSE, 0},
		{R, "R", 2001, 0, 0, 0, "", QUIET, CLOSE, 0});
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{R, "R", 900000, 0, 0, 0, "", INVALID, FIN_WAIT, 0},
		{R, "R", 0, 0, 0, 0, "", ACCEPT, CLOSE, 0});
}

/* ---- when one end has lost the connection ---- */

/* nf_conntrack_packetdrill: conntrack_syn_challenge_ack.  The server still has an old connection. */
Test(doubt, server_challenges_our_syn)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "s8k", ACCEPT, SYN_SENT, 0},
		{R, "A", 145824453, 643160523, 240, 0, "t", QUIET, SYN_SENT, 0},
		{O, "R", 643160522, 0, 0, 0, "", INVALID, SYN_SENT, 0},
		{O, "R", 643160523, 0, 0, 0, "", QUIET, SYN_SENT, 0},
		{O, "S", 0, 0, 65535, 0, "s8k", QUIET, SYN_SENT, 0},
		{R, "SA", 0, 1, 250, 0, "t", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 256, 0, "t", ACCEPT, ESTABLISHED, 0});
}

/* nf_conntrack_packetdrill: conntrack_synack_old */
Test(doubt, stale_syn_ack_does_not_count)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "s8", ACCEPT, SYN_SENT, 0},
		{R, "SA", 145824453, 643160523, 240, 0, "", QUIET, SYN_SENT, 0},
		{O, "S", 0, 0, 65535, 0, "s8", QUIET, SYN_SENT, 0},
		{R, "SA", 145758918, 1, 250, 0, "s0", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 145758919, 256, 1, "t", ACCEPT, ESTABLISHED, 0});
}

/* nf_conntrack_packetdrill: conntrack_synack_reuse.  The client has begun again, the server not. */
Test(doubt, client_comes_again_and_is_challenged)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "A", 1, 1, 257, 100, "t", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 101, 256, 0, "t", ACCEPT, ESTABLISHED, 0},
		{O, "S", 2000, 0, 32792, 0, "s7", QUIET, ESTABLISHED, 0},
		{R, "A", 1, 101, 256, 0, "t", ACCEPT, ESTABLISHED, 0},
		{O, "RA", 101, 1, 257, 0, "", ACCEPT, CLOSE, 0},
		{O, "S", 2000, 0, 32792, 0, "s0", REOPEN, CLOSE, 0});
}

Test(doubt, a_challenge_is_not_the_ack_of_a_fin)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{O, "FA", 1, 2, 65535, 0, "", ACCEPT, LAST_ACK, 0},
		{O, "S", 7000, 0, 65535, 0, "", QUIET, LAST_ACK, 0},
		{R, "A", 2, 1, 65535, 0, "", ACCEPT, LAST_ACK, 0});
}

Test(doubt, client_comes_again_and_the_server_had_forgotten)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "S", 700000, 0, 65535, 0, "s7", QUIET, ESTABLISHED, 0},
		{R, "SA", 9000000, 5, 65535, 0, "s8", INVALID, ESTABLISHED, 0},
		{R, "SA", 9000000, 700001, 65535, 0, "s8", ACCEPT, SYN_RECEIVED, 0},
		/* what the SYN said of its window is not known: 64 KiB, and scaled by the most */
		{R, "A", 9000001 + 65537, 700001, 1000, 0, "", INVALID, SYN_RECEIVED, 0},
		{R, "A", 9000001 + 65536, 700001, 1000, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 700001, 9000001, 500, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 700001 + 256000, 9000001, 500, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 700001 + 256001, 9000001, 500, 0, "", INVALID, ESTABLISHED, 0},
		{R, "A", 9000002 + (500 << 14), 700001, 1000, 0, "", INVALID, ESTABLISHED, 0},
		{R, "A", 9000001 + (500 << 14), 700001, 1000, 0, "", ACCEPT, ESTABLISHED, 0});
}

Test(doubt, client_comes_again_and_is_refused)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "S", 700000, 0, 65535, 0, "", QUIET, ESTABLISHED, 0},
		{R, "RA", 123456, 700000, 0, 0, "", INVALID, ESTABLISHED, 0},
		{R, "RA", 123456, 700001, 0, 0, "", ACCEPT, CLOSE, 0},
		{O, "S", 800000, 0, 65535, 0, "", REOPEN, CLOSE, 0});
}

Test(doubt, server_side_syn_on_a_live_connection_is_invalid)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "S", 700000, 0, 65535, 0, "", INVALID, ESTABLISHED, 0},
		{O, "SA", 700000, 1, 65535, 0, "", INVALID, ESTABLISHED, 0});
}

/* clang-format on */

/* ---- the rest ---- */

Test(track_tcp, quoted_sequence_must_be_on_its_way)
{
	struct tcp_track track = {};

	RUN(&track, {O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0});
	cr_assert(track_tcp_quoted(&track, ORIGINAL, isn[O]));
	cr_assert_not(track_tcp_quoted(&track, ORIGINAL, isn[O] + 2));
	RUN(&track, {R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0});
	send_300000(&track);
	RUN(&track, {O, "A", 300001, 1, 65535, 500, "", ACCEPT, ESTABLISHED, 0});
	cr_assert(track_tcp_quoted(&track, ORIGINAL, isn[O] + 300001));
	cr_assert(track_tcp_quoted(&track, ORIGINAL, isn[O] + 300501));
	cr_assert_not(track_tcp_quoted(&track, ORIGINAL, isn[O] + 300502));
	cr_assert_not(track_tcp_quoted(&track, ORIGINAL, isn[O] + 1));
	cr_assert_not(track_tcp_quoted(&track, ORIGINAL, isn[O] + 0x80000000));
}

Test(track_tcp, states_have_names)
{
	cr_assert_str_eq(tcp_state_name(TCP_STATE_SYN_SENT2), "syn-sent2");
	cr_assert_str_eq(tcp_state_name(TCP_STATE_TIME_WAIT), "time-wait");
	for (int state = 0; state < TCP_STATE_COUNT; state++)
		cr_assert_not_null(tcp_state_name(state));
}
