/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sip_sdp: addresses and ports of a session description.
 */
#include "helper/sip_sdp.h"

#include <string.h>
#include <strings.h>

static uint32_t end_of(struct span span)
{
	return span.at + span.length;
}

/* The line at `*at`, without its end, which may be CRLF or LF (RFC 8866, 5). */
static bool line_next(const char *text, uint32_t end, uint32_t *at, struct span *line)
{
	if (*at >= end)
		return false;
	const char *feed = memchr(text + *at, '\n', end - *at);
	const uint32_t stop = feed != NULL ? (uint32_t)(feed - text) : end;

	*line = (struct span){*at, stop - *at};
	if (line->length > 0 && text[stop - 1] == '\r')
		line->length--;
	*at = feed != NULL ? stop + 1 : end;
	return true;
}

/* Words are separated by one space each; an empty one ends the line. */
static struct span word_next(const char *text, struct span *rest)
{
	struct span word = {rest->at, 0};

	while (word.length < rest->length && text[word.at + word.length] != ' ')
		word.length++;
	const uint32_t taken = word.length < rest->length ? word.length + 1 : word.length;
	rest->at += taken;
	rest->length -= taken;
	return word;
}

static bool word_is(const char *text, struct span word, const char *wanted)
{
	return word.length == strlen(wanted) &&
	       strncasecmp(text + word.at, wanted, word.length) == 0;
}

/* "IN IP4 192.0.2.1" */
static void read_address(const char *text, struct span rest, struct sdp_address *address)
{
	const struct span net = word_next(text, &rest), type = word_next(text, &rest);
	const struct span host = word_next(text, &rest);
	char copy[ADDR_TEXT_SIZE];

	*address = (struct sdp_address){0};
	if (!word_is(text, net, "IN") || host.length == 0 || host.length >= sizeof(copy))
		return;
	address->host = host;
	memcpy(copy, text + host.at, host.length);
	copy[host.length] = '\0';
	if (!addr_parse(copy, &address->address, &address->family) ||
		!word_is(text, type, address->family == AF_INET ? "IP4" : "IP6"))
		address->family = 0;
}

/* "alice 2890844526 2890842807 IN IP4 192.0.2.1" */
static void read_origin(const char *text, struct span rest, struct sdp *sdp)
{
	for (unsigned i = 0; i < 3; i++)
		word_next(text, &rest);
	read_address(text, rest, &sdp->origin);
}

static bool read_port(const char *text, struct span digits, uint16_t *number)
{
	uint32_t value;

	if (!sip_number(text, digits, &value) || value > 65535)
		return false;
	*number = (uint16_t)value;
	return true;
}

/* "RTP/AVP", "UDP/TLS/RTP/SAVPF" ... */
static bool is_rtp(const char *text, struct span protocol)
{
	for (uint32_t i = 0; i + 4 <= protocol.length; i++)
		if (strncasecmp(text + protocol.at + i, "RTP/", 4) == 0)
			return true;
	return false;
}

/* "audio 49170 RTP/AVP 0 8" */
static bool read_media(const char *text, struct span rest, struct sdp *sdp)
{
	struct sdp_media *media = &sdp->media[sdp->count];

	if (sdp->count == SDP_MEDIA_MAX)
		return false;
	word_next(text, &rest);
	struct span port = word_next(text, &rest);
	const struct span protocol = word_next(text, &rest);
	const char *slash = memchr(text + port.at, '/', port.length);

	*media = (struct sdp_media){.several = slash != NULL};
	if (slash != NULL)
		port.length = (uint32_t)(slash - text) - port.at;
	media->port = port;
	media->paired = is_rtp(text, protocol);
	media->known = word_is(text, protocol, "udptl") || word_is(text, protocol, "udp") ||
		       (media->paired && (protocol.length < 4 ||
						 strncasecmp(text + protocol.at, "TCP/", 4) != 0));
	sdp->count++;
	return read_port(text, port, &media->number);
}

/* "53020 IN IP4 192.0.2.1", "53020" (RFC 3605) */
static bool read_rtcp(const char *text, struct span rest, struct sdp_media *media)
{
	media->rtcp_port = word_next(text, &rest);
	if (!read_port(text, media->rtcp_port, &media->rtcp_number))
		return false;
	if (rest.length > 0)
		read_address(text, rest, &media->rtcp);
	return true;
}

static bool read_line(const char *text, struct span line, struct sdp *sdp)
{
	static const char rtcp[] = "rtcp:";
	const uint32_t length = sizeof(rtcp) - 1;
	const struct span value = {line.at + 2, line.length - 2};
	struct sdp_media *media = sdp->count > 0 ? &sdp->media[sdp->count - 1] : NULL;

	switch (text[line.at]) {
	case 'o':
		read_origin(text, value, sdp);
		return true;
	case 'c':
		read_address(text, value, media != NULL ? &media->connection : &sdp->connection);
		return true;
	case 'm':
		return read_media(text, value, sdp);
	case 'a':
		if (media == NULL || value.length < length ||
			strncasecmp(text + value.at, rtcp, length) != 0)
			return true;
		return read_rtcp(
			text, (struct span){value.at + length, value.length - length}, media);
	default:
		return true;
	}
}

bool sdp_parse(const char *text, struct span body, struct sdp *sdp)
{
	uint32_t at = body.at;
	struct span line;

	*sdp = (struct sdp){.count = 0};
	if (body.length < 2 || memcmp(text + body.at, "v=", 2) != 0)
		return false;
	while (line_next(text, end_of(body), &at, &line)) {
		if (line.length == 0)
			continue;
		if (line.length < 2 || text[line.at + 1] != '=' || !read_line(text, line, sdp))
			return false;
	}
	return true;
}

const struct sdp_address *sdp_media_address(const struct sdp *sdp, const struct sdp_media *media)
{
	return media->connection.host.length > 0 ? &media->connection : &sdp->connection;
}
