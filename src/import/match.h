/* SPDX-License-Identifier: BSD-2-Clause */
/* match: the options of a rule of iptables, by a table of what each means here. */
#ifndef TUNGATE_IMPORT_MATCH_H
#define TUNGATE_IMPORT_MATCH_H

#include "import/statement.h"

/* Read all words of statement->rule. */
void match_read(struct statement *statement, const struct statement_context *context);

/* ---- what lies behind the table ---- */

struct match_reader {
	struct statement *statement;
	const struct statement_context *context;
	const char *option; /* the one that is being read */
	/* limit, hashlimit and connlimit are made of several options: */
	char rate[32], burst[16], per[16];
	bool over, limits;
	char connections[16];
};

/* Each takes an option's values; `negated`: a `!` stands at it. */
typedef void match_take(struct match_reader *reader, const char *const *values, bool negated);

match_take match_in, match_out, match_source, match_destination, match_source_range,
	match_destination_range, match_protocol, match_source_port, match_destination_port,
	match_any_port, match_state, match_ctstatus, match_icmp_type, match_tcp_flags, match_syn,
	match_length, match_ttl_equal, match_ttl_less, match_ttl_greater, match_dscp,
	match_dscp_class, match_helper, match_dst_type, match_comment;
match_take match_limit, match_hash_upto, match_hash_above, match_burst, match_hash_mode,
	match_hash_mask, match_connections_above, match_connections_upto, match_connections_mask,
	match_connections_source, match_connections_destination;

/* Say what limit, hashlimit and connlimit came to. */
void match_limits_finish(struct match_reader *reader);

#endif
