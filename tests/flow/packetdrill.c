/* SPDX-License-Identifier: BSD-2-Clause */
/* packetdrill: the kernel's six conntrack scripts (selftests/net/netfilter/packetdrill) as stories.
 */
#include "../support/steps.h"

/* clang-format off */

#define CONNECTED                                                                                  \
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},       \
	{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001",                                    \
		"guest tcp server:80 > guest:4000 SA"},                                            \
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001",                                   \
		"uplink tcp host:$a > server:80 A"}

/* conntrack_ack_loss_stall.pkt: what was acknowledged is sent again, since the acknowledgment was
 * lost.  It passes, or the other end would never say again that it has it. */
STORY(packetdrill, lost_acknowledgments, LAB(),
	CONNECTED,
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001 len 10000 partial gso 1400",
		"uplink tcp host:$a > server:80 A len 10000"},
	{"guest tcp guest:4000 > server:80 A seq 11001 ack 5001 len 60000 partial gso 1400",
		"uplink tcp host:$a > server:80 A len 60000"},
	{"uplink tcp server:80 > host:$a A seq 5001 ack 71001", "guest tcp server:80 > guest:4000 A"},
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001 len 1000",
		"uplink tcp host:$a > server:80 A seq 1001 len 1000"},
	{"states", "established"});

/* conntrack_inexact_rst.pkt: in the window but not exact ends nothing while the connection is open,
 * and ends it once it is closing. */
STORY(packetdrill, inexact_resets, LAB(),
	CONNECTED,
	{"uplink tcp server:80 > host:$a R seq 5002", "guest tcp server:80 > guest:4000 R"},
	{"states", "established"},
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001 len 10",
		"uplink tcp host:$a > server:80 A"},
	{"guest tcp guest:4000 > server:80 FA seq 1011 ack 5001", "uplink tcp host:$a > server:80 FA"},
	{"uplink tcp server:80 > host:$a R seq 5002", "guest tcp server:80 > guest:4000 R"},
	{"states", "close"});

/* conntrack_rst_invalid.pkt: at zero, far away, one short of it: nothing; exact: the end. */
STORY(packetdrill, resets_that_do_not_count, LAB(),
	CONNECTED,
	{"uplink tcp server:80 > host:$a R seq 0", "drop invalid"},
	{"uplink tcp server:80 > host:$a R seq 900000000", "drop invalid"},
	{"uplink tcp server:80 > host:$a R seq 5000", "drop invalid"},
	{"states", "established"},
	{"uplink tcp server:80 > host:$a A seq 5001 ack 1001 len 10",
		"guest tcp server:80 > guest:4000 A len 10"},
	{"uplink tcp server:80 > host:$a R seq 5011", "guest tcp server:80 > guest:4000 R"},
	{"states", "close"});

/* conntrack_synack_old.pkt: an answer to an earlier SYN is left to the client, and the right one is
 * taken. */
STORY(packetdrill, a_stale_answer, LAB(),
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"uplink tcp server:80 > host:$a SA seq 77000 ack 600", "guest tcp server:80 > guest:4000 SA"},
	{"guest tcp guest:4000 > server:80 R seq 600", "uplink tcp host:$a > server:80 R"},
	{"states", "syn-sent"},
	{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001", "guest tcp server:80 > guest:4000 SA"},
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001", "uplink tcp host:$a > server:80 A"},
	{"states", "established"});

/* conntrack_synack_reuse.pkt: a server that has not yet forgotten answers a new SYN by a challenge
 * ACK; the client's reset for that passes, and its next SYN begins anew. */
STORY(packetdrill, a_challenge_to_a_new_syn, LAB(),
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"uplink tcp server:80 > host:$a A seq 77000 ack 600", "guest tcp server:80 > guest:4000 A"},
	{"guest tcp guest:4000 > server:80 R seq 600", "uplink tcp host:$a > server:80 R"},
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001", "guest tcp server:80 > guest:4000 SA"},
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001", "uplink tcp host:$a > server:80 A"},
	{"states", "established"});

/* conntrack_syn_challenge_ack.pkt: the client has lost the connection and begins another; we and
 * the server have not.  SYN, challenge ACK, reset, SYN again. */
STORY(packetdrill, a_syn_on_a_live_connection, LAB(),
	CONNECTED,
	{"guest tcp guest:4000 > server:80 S seq 90000", "uplink tcp host:$a > server:80 S"},
	{"uplink tcp server:80 > host:$a A seq 5001 ack 1001", "guest tcp server:80 > guest:4000 A"},
	{"guest tcp guest:4000 > server:80 R seq 1001", "uplink tcp host:$a > server:80 R"},
	{"states", "close"},
	{"guest tcp guest:4000 > server:80 S seq 90000", "uplink tcp host:$b > server:80 S"},
	{"states", "syn-sent"});
