/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sip_sdp: where a session description (RFC 8866) says on which addresses and ports its sender
 * wants to hear the media.
 */
#ifndef TUNGATE_HELPER_SIP_SDP_H
#define TUNGATE_HELPER_SIP_SDP_H

#include "helper/sip_message.h"

#define SDP_MEDIA_MAX 8

/* The address of `c=`, `o=` or `a=rtcp:`; `host.length` is 0 where there is none. */
struct sdp_address {
	struct span host;
	union addr address;
	uint8_t family; /* 0: a name, or not there */
};

struct sdp_media {
	struct span port;
	uint16_t number; /* of the port; 0: the stream is not wanted */
	bool paired;     /* RTP, with RTCP on the next port */
	bool known;      /* a protocol over UDP: a port that we can do something about */
	bool several;    /* "m=audio 49170/2": more ports than one pair */
	struct sdp_address connection; /* its own `c=` */
	struct span rtcp_port;         /* `a=rtcp:`; length 0: none */
	uint16_t rtcp_number;
	struct sdp_address rtcp;
};

struct sdp {
	struct sdp_address origin;
	struct sdp_address connection; /* of the session: for media without their own */
	unsigned count;
	struct sdp_media media[SDP_MEDIA_MAX];
};

/* Read a body.  False where it is no session description, or one with more media than we follow. */
bool sdp_parse(const char *text, struct span body, struct sdp *sdp);
/* Where the RTP of a medium is heard. */
const struct sdp_address *sdp_media_address(const struct sdp *sdp, const struct sdp_media *media);

#endif
