/* SPDX-License-Identifier: BSD-2-Clause */
/* sip_message: what is a message, where it ends, and which addresses are where in it. */
#include "helper/sip_message.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define REGISTER "REGISTER sip:example.com SIP/2.0\r\n"
#define INVITE   "INVITE sip:bob@192.0.2.1:5061 SIP/2.0\r\n"

/* ---- messages ---- */

static const char *framing_name(enum sip_framing framing)
{
	static const char *const names[] = {"whole", "incomplete", "foreign"};

	return names[framing];
}

Test(sip_message, framing)
{
	static const struct {
		const char *what, *text;
		enum sip_framing datagram, stream;
		uint32_t length; /* where it is whole; 0: all */
	} rows[] = {
		{"no header at all", REGISTER "\r\n", SIP_WHOLE, SIP_FOREIGN},
		{"an empty body", REGISTER "l: 0\r\n\r\n", SIP_WHOLE, SIP_WHOLE},
		{"a body", REGISTER "Content-Length: 3\r\n\r\nabc", SIP_WHOLE, SIP_WHOLE},
		{"and more", REGISTER "Content-Length: 3\r\n\r\nabcde", SIP_WHOLE, SIP_WHOLE, 58},
		{"too short a body", REGISTER "l:4\r\n\r\nabc", SIP_FOREIGN, SIP_INCOMPLETE},
		{"a response", "SIP/2.0 200 OK\r\nl: 0\r\n\r\n", SIP_WHOLE, SIP_WHOLE},
		{"without a reason", "SIP/2.0 180\r\nl: 0\r\n\r\n", SIP_WHOLE, SIP_WHOLE},
		{"an empty reason", "SIP/2.0 100 \r\nl: 0\r\n\r\n", SIP_WHOLE, SIP_WHOLE},
		{"another method", "NEWMETHOD. a SIP/2.0\r\nl:0\r\n\r\n", SIP_WHOLE, SIP_WHOLE},
		{"half a header", REGISTER "Via: SIP/2.", SIP_FOREIGN, SIP_INCOMPLETE},
		{"no empty line", REGISTER "l: 0\r\n", SIP_FOREIGN, SIP_INCOMPLETE},
		{"half a method", "REGI", SIP_FOREIGN, SIP_INCOMPLETE},
		{"half a version", "SIP/", SIP_FOREIGN, SIP_INCOMPLETE},
		{"half a line end", "SIP/2.0 200 OK\r", SIP_FOREIGN, SIP_INCOMPLETE},

		{"HTTP", "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", SIP_FOREIGN, SIP_FOREIGN},
		{"another version", "INVITE sip:a SIP/3.0\r\nl: 0\r\n\r\n", SIP_FOREIGN,
			SIP_FOREIGN},
		{"more behind it", "INVITE sip:a SIP/2.0 x\r\nl: 0\r\n\r\n", SIP_FOREIGN,
			SIP_FOREIGN},
		{"no URI", "INVITE  SIP/2.0\r\nl: 0\r\n\r\n", SIP_FOREIGN, SIP_FOREIGN},
		{"a short status", "SIP/2.0 20\r\nl: 0\r\n\r\n", SIP_FOREIGN, SIP_FOREIGN},
		{"a long status", "SIP/2.0 2000 OK\r\nl: 0\r\n\r\n", SIP_FOREIGN, SIP_FOREIGN},
		{"status 099", "SIP/2.0 099 OK\r\nl: 0\r\n\r\n", SIP_FOREIGN, SIP_FOREIGN},
		{"text before it", "x" INVITE "l: 0\r\n\r\n", SIP_WHOLE, SIP_WHOLE},
		{"a blank before it", " " INVITE "l: 0\r\n\r\n", SIP_FOREIGN, SIP_FOREIGN},
		{"bare line feeds", "INVITE sip:a SIP/2.0\nl: 0\n\n", SIP_FOREIGN, SIP_FOREIGN},
		{"a control character", REGISTER "l: 0\r\nx: \001\r\n\r\n", SIP_FOREIGN,
			SIP_FOREIGN},
		{"two lengths", REGISTER "l: 0\r\nContent-Length: 3\r\n\r\nabc", SIP_FOREIGN,
			SIP_FOREIGN},
		{"a length in words", REGISTER "l: none\r\n\r\n", SIP_FOREIGN, SIP_FOREIGN},
		{"an empty length", REGISTER "l: \r\n\r\n", SIP_FOREIGN, SIP_FOREIGN},
		{"too large a length", REGISTER "l: 1048577\r\n\r\n", SIP_FOREIGN, SIP_FOREIGN},
		{"a huge length", REGISTER "l: 4294967296\r\n\r\n", SIP_FOREIGN, SIP_FOREIGN},
		{"nothing", "", SIP_FOREIGN, SIP_INCOMPLETE},
	};

	for (unsigned i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		const bool stream = i % 2;
		const enum sip_framing wanted = stream ? rows[i / 2].stream : rows[i / 2].datagram;
		const uint32_t bytes = (uint32_t)strlen(rows[i / 2].text);
		struct sip_message message;
		const enum sip_framing found =
			sip_message_parse(rows[i / 2].text, bytes, stream, &message);

		cr_expect_eq(found, wanted, "%s, %s: %s, not %s", rows[i / 2].what,
			stream ? "stream" : "datagram", framing_name(found), framing_name(wanted));
		if (found == SIP_WHOLE)
			cr_expect_eq(message.length,
				rows[i / 2].length ? rows[i / 2].length : bytes, "%s: %u",
				rows[i / 2].what, message.length);
	}
}

/* Whatever is cut off a message of a stream, the rest is the beginning of one. */
Test(sip_message, every_beginning_is_incomplete)
{
	static const char text[] =
		INVITE "Via: SIP/2.0/TCP 10.77.0.2\r\n ;branch=1\r\nl: 3\r\n\r\nabc";
	struct sip_message message;

	for (uint32_t bytes = 1; bytes < sizeof(text) - 1; bytes++)
		cr_expect_eq(sip_message_parse(text, bytes, true, &message), SIP_INCOMPLETE,
			"%u bytes", bytes);
	cr_expect_eq(sip_message_parse(text, sizeof(text) - 1, true, &message), SIP_WHOLE);
}

Test(sip_message, what_it_is)
{
	static const struct {
		const char *text;
		uint16_t status;
		enum sip_method method;
		const char *uri, *call_id;
		bool has_sdp;
	} rows[] = {
		{INVITE "Call-ID: a@b\r\nCSeq: 1 BYE\r\nc: application/sdp\r\n\r\n", 0, SIP_INVITE,
			"sip:bob@192.0.2.1:5061", "a@b", true},
		{"SIP/2.0 200 OK\r\ni:  x \r\ncseq:  7   REGISTER\r\n\r\n", 200, SIP_REGISTER, "",
			"x", false},
		{"BYE a SIP/2.0\r\nContent-Type: APPLICATION/SDP;x=y\r\n\r\n", 0, SIP_BYE, "a", "",
			true},
		{"bye a SIP/2.0\r\nContent-Type: application/sdpx\r\n\r\n", 0, SIP_OTHER, "a", "",
			false},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sip_message message;

		cr_assert_eq(sip_message_parse(
				     rows[i].text, (uint32_t)strlen(rows[i].text), false, &message),
			SIP_WHOLE);
		cr_expect_eq(message.status, rows[i].status);
		cr_expect_eq(message.method, rows[i].method, "%s", rows[i].text);
		cr_expect_eq(message.has_sdp, rows[i].has_sdp, "%s", rows[i].text);
		cr_expect_eq(message.uri.length, strlen(rows[i].uri));
		cr_expect_arr_eq(rows[i].text + message.uri.at, rows[i].uri, message.uri.length);
		cr_expect_eq(message.call_id.length, strlen(rows[i].call_id));
		cr_expect_arr_eq(
			rows[i].text + message.call_id.at, rows[i].call_id, message.call_id.length);
	}
}

/* Folded lines, blanks before the colon, compact names, names like others. */
Test(sip_message, fields)
{
	static const char text[] = INVITE "v:SIP/2.0/UDP a\r\n"
					  "VIA  :\r\n\tSIP/2.0/UDP b\r\n  ;branch=1\r\n"
					  "Viable: c\r\n"
					  "m: <sip:d>\r\n"
					  "nonsense\r\n"
					  "Record-Route: e\r\n\r\n";
	static const struct {
		enum sip_name name;
		const char *value;
	} wanted[] = {
		{SIP_VIA, "SIP/2.0/UDP a"},
		{SIP_VIA, "SIP/2.0/UDP b\r\n  ;branch=1"},
		{SIP_FIELD_OTHER, "c"},
		{SIP_CONTACT, "<sip:d>"},
		{SIP_FIELD_OTHER, ""},
		{SIP_RECORD_ROUTE, "e"},
	};
	struct sip_message message;
	struct sip_field field;
	unsigned n = 0;

	cr_assert_eq(sip_message_parse(text, sizeof(text) - 1, false, &message), SIP_WHOLE);
	for (uint32_t at = message.fields.at; sip_field_next(&message, &at, &field); n++) {
		cr_assert_lt(n, 6);
		cr_expect_eq(field.name, wanted[n].name, "field %u", n);
		cr_expect_eq(field.value.length, strlen(wanted[n].value), "field %u", n);
		cr_expect_arr_eq(text + field.value.at, wanted[n].value, field.value.length);
	}
	cr_expect_eq(n, 6);
}

/* ---- addresses ---- */

/* "host port" of all that are found, each with a comma. */
static void write_places(const char *text, char *out, size_t size)
{
	struct span rest = {0, (uint32_t)strlen(text)};
	struct sip_place place;
	FILE *to = fmemopen(out, size, "w");

	while (sip_uri_next(text, &rest, &place))
		fprintf(to, "%.*s%s %u,", (int)place.host.length, text + place.host.at,
			place.family == AF_INET    ? "/4"
			: place.family == AF_INET6 ? "/6"
						   : "",
			place.number);
	fputc('\0', to);
	fclose(to);
}

Test(sip_message, uris)
{
	static const char *const rows[][2] = {
		{"sip:10.77.0.2", "10.77.0.2/4 0,"},
		{"sip:alice@10.77.0.2:5062", "10.77.0.2/4 5062,"},
		{"<sip:alice@10.77.0.2:5062;transport=tcp>;expires=5", "10.77.0.2/4 5062,"},
		{"\"A. \\\"<sip:1.1.1.1>\" <sips:alice@[fd00::2]:5062>", "[fd00::2]/6 5062,"},
		{"Alice <SIP:alice;x=y@example.com>;tag=1", "example.com 0,"},
		{"<sip:a@10.0.0.1>, \"b\" <sip:b@10.0.0.2:7>;q=0.1,sip:10.0.0.3;lr",
			"10.0.0.1/4 0,10.0.0.2/4 7,10.0.0.3/4 0,"},
		{"sip:,sip:10.0.0.1", "10.0.0.1/4 0,"},
		{"*", ""},
		{"<tel:+15551234>", ""},
		{"<gossip:10.0.0.1>", ""},
		{"\"sip:10.0.0.1", ""},
		{"<sip:10.0.0.1:99999>", ""},
		{"<sip:10.0.0.1:>", ""},
		{"<sip:[10.0.0.1]>", "[10.0.0.1] 0,"},
		{"<sip:[fd00::2>", ""},
		{"<sip:[]>", "[] 0,"},
		{"<sip:10.0.0.256>", "10.0.0.256 0,"},
		{"<sip:a@>", ""},
		{"sip:", ""},
		{"", ""},
	};
	char found[256];

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		write_places(rows[i][0], found, sizeof(found));
		cr_expect_str_eq(found, rows[i][1], "%s", rows[i][0]);
	}
}

Test(sip_message, vias)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		const char *received, *rport; /* NULL: none */
	} rows[] = {
		{"SIP/2.0/UDP 10.77.0.2:5060;branch=z9hG4bK;rport", "10.77.0.2", 5060, NULL, ""},
		{"SIP/2.0/UDP 10.77.0.2;received=192.0.2.2;rport=61000", "10.77.0.2", 0,
			"192.0.2.2", "61000"},
		{"SIP / 2.0\r\n / TCP   [fd00::2]:5060 ; received = 10.0.0.1 ;x", "[fd00::2]", 5060,
			"10.0.0.1", NULL},
		{"SIP/2.0/UDP a.example , SIP/2.0/UDP b;received=1.1.1.1", "a.example", 0, NULL,
			NULL},
		{"SIP/2.0/UDP a;x=\";received=1.1.1.1\";y", "a", 0, NULL, NULL},
		{"SIP/2.0/UDP a;notreceived=1;receivednot=2", "a", 0, NULL, NULL},
		{"SIP/2.0/UDP", NULL},
		{"SIP/2.0", NULL},
		{"", NULL},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *text = rows[i].text;
		struct span rest = {0, (uint32_t)strlen(text)}, value;
		struct sip_place place;

		cr_assert_eq(sip_via_parse(text, &rest, &place), rows[i].host != NULL, "%s", text);
		if (rows[i].host == NULL)
			continue;
		cr_expect_eq(place.host.length, strlen(rows[i].host), "%s", text);
		cr_expect_arr_eq(text + place.host.at, rows[i].host, place.host.length);
		cr_expect_eq(place.number, rows[i].port);
		const char *const wanted[] = {rows[i].received, rows[i].rport};
		for (unsigned p = 0; p < 2; p++) {
			const bool found =
				sip_parameter(text, rest, p ? "rport" : "received", &value);
			cr_expect_eq(found, wanted[p] != NULL, "%s", text);
			if (!found || wanted[p] == NULL)
				continue;
			cr_expect_eq(value.length, strlen(wanted[p]), "%s", text);
			cr_expect_arr_eq(text + value.at, wanted[p], value.length);
		}
	}
}
