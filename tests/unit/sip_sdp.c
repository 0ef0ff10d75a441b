/* SPDX-License-Identifier: BSD-2-Clause */
/* sip_sdp: who listens where. */
#include "helper/sip_sdp.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define SESSION "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\n"

static bool parse(const char *text, struct sdp *sdp)
{
	return sdp_parse(text, (struct span){0, (uint32_t)strlen(text)}, sdp);
}

static void expect_address(
	const char *text, const struct sdp_address *address, const char *wanted, bool literal)
{
	cr_expect_eq(address->host.length, strlen(wanted), "%s: %s", text, wanted);
	cr_expect_arr_eq(text + address->host.at, wanted, address->host.length);
	cr_expect_eq(address->family != 0, literal, "%s: %s", text, wanted);
}

Test(sip_sdp, addresses)
{
	static const char text[] = SESSION "c=IN IP4 10.0.0.2\r\nt=0 0\r\n"
					   "m=audio 49170 RTP/AVP 0\r\n"
					   "a=rtcp:53020 IN IP4 10.0.0.3\r\n"
					   "m=video 51372 RTP/SAVPF 31 32\nc=IN IP6 fd00::4\n"
					   "a=rtcp:51380\n"
					   "m=image 0 udptl t38\r\nc=IN IP4 example.com";
	struct sdp sdp;

	cr_assert(parse(text, &sdp));
	cr_assert_eq(sdp.count, 3);
	expect_address(text, &sdp.origin, "10.0.0.1", true);
	expect_address(text, &sdp.connection, "10.0.0.2", true);
	expect_address(text, sdp_media_address(&sdp, &sdp.media[0]), "10.0.0.2", true);
	expect_address(text, &sdp.media[0].rtcp, "10.0.0.3", true);
	expect_address(text, sdp_media_address(&sdp, &sdp.media[1]), "fd00::4", true);
	expect_address(text, &sdp.media[1].rtcp, "", false);
	expect_address(text, sdp_media_address(&sdp, &sdp.media[2]), "example.com", false);
	cr_expect_eq(sdp.media[0].number, 49170);
	cr_expect_eq(sdp.media[0].rtcp_number, 53020);
	cr_expect_eq(sdp.media[1].number, 51372);
	cr_expect_eq(sdp.media[1].rtcp_number, 51380);
	cr_expect_eq(sdp.media[2].number, 0);
}

Test(sip_sdp, media)
{
	static const struct {
		const char *line;
		bool known, paired, several;
	} rows[] = {
		{"m=audio 4000 RTP/AVP 0\r\n", true, true, false},
		{"m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n", true, true, false},
		{"m=audio 4000/1 RTP/AVP 0\r\n", true, true, true},
		{"m=image 4000 udptl t38\r\n", true, false, false},
		{"m=image 4000 UDPTL t38\r\n", true, false, false},
		{"m=message 4000 TCP/MSRP *\r\n", false, false, false},
		{"m=audio 4000 TCP/RTP/AVP 0\r\n", false, true, false},
		{"m=audio 4000\r\n", false, false, false},
	};
	char text[256];
	struct sdp sdp;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(text, sizeof(text), SESSION "%s", rows[i].line);
		cr_assert(parse(text, &sdp), "%s", rows[i].line);
		cr_assert_eq(sdp.count, 1);
		cr_expect_eq(sdp.media[0].number, 4000);
		cr_expect_eq(sdp.media[0].known, rows[i].known, "%s", rows[i].line);
		cr_expect_eq(sdp.media[0].paired, rows[i].paired, "%s", rows[i].line);
		cr_expect_eq(sdp.media[0].several, rows[i].several, "%s", rows[i].line);
	}
}

Test(sip_sdp, what_is_none)
{
	static const char *const rows[] = {
		"",
		"v",
		"o=- 1 1 IN IP4 10.0.0.1\r\nv=0\r\n",
		SESSION "nonsense\r\n",
		SESSION "m=audio many RTP/AVP 0\r\n",
		SESSION "m=audio 65536 RTP/AVP 0\r\n",
		SESSION "m=\r\n",
		SESSION "m=audio 4000 RTP/AVP 0\r\na=rtcp:x\r\n",
		SESSION "m=a 1 RTP/AVP 0\r\nm=a 1 RTP/AVP 0\r\nm=a 1 RTP/AVP 0\r\n"
			"m=a 1 RTP/AVP 0\r\nm=a 1 RTP/AVP 0\r\nm=a 1 RTP/AVP 0\r\n"
			"m=a 1 RTP/AVP 0\r\nm=a 1 RTP/AVP 0\r\nm=a 1 RTP/AVP 0\r\n",
	};
	struct sdp sdp;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_not(parse(rows[i], &sdp), "%s", rows[i]);
}

/* An address of the wrong kind, multicast with its scope, another net: none of ours. */
Test(sip_sdp, addresses_that_are_none)
{
	static const char *const rows[] = {"IN IP6 10.0.0.1", "IN IP4 fd00::1",
		"IN IP4 224.2.1.1/127", "XX IP4 10.0.0.1", "IN IP4", "10.0.0.1"};
	char text[256];
	struct sdp sdp;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(text, sizeof(text), SESSION "c=%s\r\n", rows[i]);
		cr_assert(parse(text, &sdp));
		cr_expect_eq(sdp.connection.family, 0, "%s", rows[i]);
	}
}
