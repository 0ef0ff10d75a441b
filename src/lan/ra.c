/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ra: the router's advertisements (RFC 4861, 6.2): three soon after the start, then one every few
 * minutes, one for whoever asks, and a last one that takes all back.
 *
 * On a link of one guest the prefix is not "on link": nobody else is there, and all packets go to
 * the router (RFC 8273).  Lifetimes are those of RFC 9096, so that what was said is soon forgotten.
 */
#include "wire/ra.h"

#include "lan/name.h"
#include "lan/state.h"
#include "wire/ndp.h"

#define INITIAL_MS       16000  /* RFC 4861, 10: MAX_INITIAL_RTR_ADVERT_INTERVAL */
#define INITIAL_COUNT    3      /* ... MAX_INITIAL_RTR_ADVERTISEMENTS */
#define INTERVAL_MIN_MS  200000 /* ... 6.2.1 */
#define INTERVAL_MAX_MS  600000
#define BETWEEN_MS       3000 /* ... MIN_DELAY_BETWEEN_RAS */
#define ROUTER_S         1800
#define PREFERRED_S      2700 /* RFC 9096, 3.1 */
#define VALID_S          5400
#define HOP_LIMIT        64
#define ANSWERS_A_SECOND 16
#define MESSAGE_BYTES    (MADE_BYTES - ETHERNET_BYTES - sizeof(struct ipv6_header) - 4)

static const union addr all_nodes = {.bytes = {0xff, 0x02, [15] = 1}};

static bool advertises(const struct lan *lan)
{
	return lan->network.ra && lan->network.subnet6.family != 0;
}

/* ---- what it says ---- */

static void prefix_say(const struct lan *lan, struct ra *ra)
{
	const struct prefix *subnet = &lan->network.subnet6;
	uint8_t flags = lan->settings.many ? RA_PREFIX_ON_LINK : 0;

	if (subnet->length == 64) /* RFC 4862, 5.5.3 d: of which interface identifiers are */
		flags |= RA_PREFIX_AUTONOMOUS;
	ra_prefix(ra, subnet, flags, VALID_S, PREFERRED_S);
}

static size_t message_write(const struct lan *lan, uint8_t *bytes, uint16_t lifetime_s)
{
	uint8_t search[CONFIG_DOMAIN_SIZE + 1];
	struct ra ra;

	ra_begin(&ra, bytes, MESSAGE_BYTES, HOP_LIMIT,
		lan->network.dhcp6 ? RA_MANAGED | RA_OTHER : 0, lifetime_s);
	ra_mac(&ra, LAN_GATEWAY_MAC);
	ra_mtu(&ra, lan->settings.mtu);
	prefix_say(lan, &ra);
	ra_dns(&ra, lan->settings.dns6, lan->settings.dns6_count, lifetime_s);
	ra_search(&ra, search, name_wire(lan->network.domain, search), lifetime_s);
	if (lan->network.nat64.family != 0)
		ra_pref64(&ra, &lan->network.nat64, lifetime_s);
	return ra.length;
}

static void advertise(
	struct lan *lan, const union addr *to, const uint8_t mac[6], uint16_t lifetime_s)
{
	uint8_t bytes[MESSAGE_BYTES];
	const size_t length = message_write(lan, bytes, lifetime_s);
	struct build build = {
		.family = AF_INET6,
		.protocol = IPPROTO_ICMPV6,
		.ttl = 255,
		.source = LAN_GATEWAY_LINK_LOCAL,
		.destination = *to,
		.icmp_type = ICMP6_ROUTER_ADVERTISEMENT,
		.payload = bytes + 4,
		.payload_bytes = (uint32_t)(length - 4),
	};

	memcpy(&build.icmp_rest, bytes, sizeof(build.icmp_rest));
	build.icmp_rest = ntohl(build.icmp_rest);
	frame_packet(lan, mac, &build);
}

static void advertise_to_all(struct lan *lan, uint16_t lifetime_s)
{
	uint8_t group[6];

	ndp_group_mac(&all_nodes, group);
	advertise(lan, &all_nodes, group, lifetime_s);
	lan->ra_last_ms = lan->now_ms;
}

/* ---- when ---- */

static uint64_t interval_ms(struct lan *lan)
{
	const uint64_t words[] = {lan->now_ms, lan->ra_count};
	const uint64_t chance = siphash_words(&lan->key, words, 2);

	if (lan->ra_count < INITIAL_COUNT)
		return INITIAL_MS;
	return INTERVAL_MIN_MS + chance % (INTERVAL_MAX_MS - INTERVAL_MIN_MS + 1);
}

void ra_start(struct lan *lan)
{
	lan->ra_count = 0;
	lan->ra_due_ms = advertises(lan) ? lan->now_ms : UINT64_MAX;
}

void ra_tick(struct lan *lan)
{
	if (lan->ra_due_ms > lan->now_ms)
		return;
	advertise_to_all(lan, ROUTER_S);
	lan->ra_count++;
	lan->ra_due_ms = lan->now_ms + interval_ms(lan);
}

void ra_stop(struct lan *lan)
{
	if (advertises(lan))
		advertise_to_all(lan, 0);
	lan->ra_due_ms = UINT64_MAX;
}

/* ---- who asks ---- */

/* RFC 4861, 6.1.1 */
static bool is_valid(const struct packet *packet)
{
	const struct headers *headers = &packet->headers;

	return headers->ttl == 255 && headers->icmp_code == 0 &&
	       headers->end - headers->l4 >= sizeof(struct icmp_header);
}

static bool may_answer(struct lan *lan)
{
	if (lan->answers_since_ms + 1000 <= lan->now_ms) {
		lan->answers_since_ms = lan->now_ms;
		lan->answers = 0;
	}
	return lan->answers++ < ANSWERS_A_SECOND;
}

/* One that has an address is answered alone; for others what is said to all will do, soon. */
enum lan_verdict solicited_input(struct lan *lan, const struct packet *packet)
{
	const union addr *source = &packet->headers.source;

	if (!is_valid(packet))
		return lan_drop(lan, LAN_COUNT_MALFORMED);
	if (!advertises(lan))
		return LAN_CONSUMED;
	if (!addr_is_zero(source)) {
		if (may_answer(lan))
			advertise(lan, source, frame_header(packet)->source, ROUTER_S);
	} else if (lan->ra_last_ms + BETWEEN_MS <= lan->now_ms) {
		advertise_to_all(lan, ROUTER_S);
	} else if (lan->ra_due_ms > lan->ra_last_ms + BETWEEN_MS) {
		lan->ra_due_ms = lan->ra_last_ms + BETWEEN_MS;
	}
	return LAN_CONSUMED;
}
