/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp: the only DHCP server of its link (RFC 2131), which therefore speaks with authority: a guest
 * that asks for an address of another network is told at once that it cannot have it.
 *
 * One guest gets the address that its link has; of many each gets one by its MAC (lan/lease.h).
 */
#include "lan/name.h"
#include "lan/state.h"
#include "wire/dhcp.h"
#include "wire/parse.h"

#define UDP_IP_BYTES    28
#define SIZE_LEAST      576 /* RFC 2132, 9.10: what every client takes */
#define ROUTE_BYTES_MAX 9
#define MESSAGE_BYTES   (MADE_BYTES - ETHERNET_BYTES - UDP_IP_BYTES)

static const union addr nobody;

/* A request, and who sent it. */
struct request {
	struct dhcp dhcp;
	struct lease_client client;
	char name[CONFIG_NAME_SIZE]; /* "": it has none that is good */
};

/* ---- what guests are told ---- */

static be32 mask_of(const struct prefix *subnet)
{
	return htonl(~UINT32_C(0) << (32 - subnet->length));
}

static void addresses_add(struct dhcp_reply *reply, enum dhcp_option option,
	const union addr *addresses, unsigned count)
{
	be32 wire[LAN_DNS_MAX];

	for (unsigned i = 0; i < count; i++)
		wire[i] = addresses[i].v4;
	if (count > 0)
		dhcp_reply_option(reply, option, wire, count * sizeof(wire[0]));
}

/* RFC 3442: as many bytes of the destination as its length needs, then the router. */
static size_t route_write(uint8_t *bytes, const struct prefix *prefix, const union addr *router)
{
	const size_t significant = (prefix->length + 7U) / 8;

	bytes[0] = prefix->length;
	memcpy(bytes + 1, prefix->base.bytes, significant);
	memcpy(bytes + 1 + significant, router->bytes, 4);
	return 1 + significant + 4;
}

/* Who reads this option ignores that of routers, so the default route is in it, too. */
static void routes_add(const struct lan *lan, struct dhcp_reply *reply)
{
	const struct prefix all = {.family = AF_INET};
	uint8_t bytes[(CONFIG_ROUTES_MAX + 1) * ROUTE_BYTES_MAX];
	size_t length = 0;

	for (unsigned i = 0; i < lan->network.route_count; i++) {
		const struct lan_route *route = &lan->network.routes[i];
		const bool direct = addr_is_zero(&route->via);

		length += route_write(bytes + length, &route->prefix,
			direct ? &lan->network.gateway4 : &route->via);
	}
	if (length == 0)
		return;
	length += route_write(bytes + length, &all, &lan->network.gateway4);
	dhcp_reply_option(reply, DHCP_OPTION_ROUTES, bytes, length);
}

static void domain_add(const struct lan *lan, const struct dhcp *request, struct dhcp_reply *reply)
{
	uint8_t wire[CONFIG_DOMAIN_SIZE + 1];

	if (dhcp_wants(request, DHCP_OPTION_DOMAIN))
		dhcp_reply_option(reply, DHCP_OPTION_DOMAIN, lan->network.domain,
			strlen(lan->network.domain));
	if (dhcp_wants(request, DHCP_OPTION_SEARCH))
		dhcp_reply_option(
			reply, DHCP_OPTION_SEARCH, wire, name_wire(lan->network.domain, wire));
}

static void name_add(const struct lan *lan, const struct request *request, struct dhcp_reply *reply)
{
	const char *name = name_given(lan, AF_INET, request->client.mac, request->name);

	if (name[0] != '\0' && dhcp_wants(&request->dhcp, DHCP_OPTION_HOST_NAME))
		dhcp_reply_option(reply, DHCP_OPTION_HOST_NAME, name, strlen(name));
}

static void network_add(
	const struct lan *lan, const struct request *request, struct dhcp_reply *reply)
{
	const struct prefix *subnet = &lan->network.subnet4;
	const struct dhcp *dhcp = &request->dhcp;
	const be32 mask = mask_of(subnet), broadcast = subnet->base.v4 | ~mask;
	const be16 mtu = htons(lan->settings.mtu);

	dhcp_reply_option(reply, DHCP_OPTION_MASK, &mask, sizeof(mask));
	addresses_add(reply, DHCP_OPTION_ROUTER, &lan->network.gateway4, 1);
	if (dhcp_wants(dhcp, DHCP_OPTION_DNS))
		addresses_add(reply, DHCP_OPTION_DNS, lan->settings.dns4, lan->settings.dns4_count);
	if (dhcp_wants(dhcp, DHCP_OPTION_ROUTES))
		routes_add(lan, reply);
	if (dhcp_wants(dhcp, DHCP_OPTION_MTU))
		dhcp_reply_option(reply, DHCP_OPTION_MTU, &mtu, sizeof(mtu));
	if (dhcp_wants(dhcp, DHCP_OPTION_BROADCAST))
		dhcp_reply_option(reply, DHCP_OPTION_BROADCAST, &broadcast, sizeof(broadcast));
	name_add(lan, request, reply);
	domain_add(lan, dhcp, reply);
}

/* ---- sending ---- */

/* RFC 2131, 4.1: to the address that the client has; else to everybody where it says that it cannot
 * take anything else yet; else to the address that it is about to have, at its MAC. */
static void reply_send(struct lan *lan, const struct request *request, enum dhcp_type type,
	const union addr *yours, struct dhcp_reply *reply)
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const struct dhcp *dhcp = &request->dhcp;
	const bool to_all = type == DHCP_NAK ||
			    (addr_is_zero(&dhcp->client) && (dhcp->flags & DHCP_FLAG_BROADCAST));
	struct build build = {
		.family = AF_INET,
		.protocol = IPPROTO_UDP,
		.source = lan->network.gateway4,
		.source_port = DHCP_SERVER_PORT,
		.destination_port = DHCP_CLIENT_PORT,
		.payload = reply->bytes,
	};

	if (to_all)
		build.destination.v4 = UINT32_MAX;
	else
		build.destination = addr_is_zero(&dhcp->client) ? *yours : dhcp->client;
	build.payload_bytes = (uint32_t)dhcp_reply_end(reply);
	frame_packet(lan, to_all ? everybody : request->client.mac, &build);
}

static size_t reply_capacity(const struct lan *lan, const struct dhcp *dhcp)
{
	size_t size = dhcp->max_size > SIZE_LEAST ? dhcp->max_size : SIZE_LEAST;

	if (size > lan->settings.mtu)
		size = lan->settings.mtu;
	size -= UDP_IP_BYTES;
	return size < MESSAGE_BYTES ? size : MESSAGE_BYTES;
}

static void reply_begin(struct lan *lan, const struct request *request, enum dhcp_type type,
	const union addr *yours, uint8_t *bytes, struct dhcp_reply *reply)
{
	const struct dhcp_text *id = &request->dhcp.client_id;

	dhcp_reply_begin(
		reply, bytes, reply_capacity(lan, &request->dhcp), &request->dhcp, type, yours);
	dhcp_reply_option(reply, DHCP_OPTION_SERVER, &lan->network.gateway4.v4, 4);
	if (id->bytes != NULL) /* RFC 6842 */
		dhcp_reply_option(reply, DHCP_OPTION_CLIENT_ID, id->bytes, id->length);
}

static void times_add(const struct lan *lan, struct dhcp_reply *reply)
{
	const uint32_t seconds = lan->network.lease_time_s;

	dhcp_reply_u32(reply, DHCP_OPTION_LEASE_TIME, seconds);
	dhcp_reply_u32(reply, DHCP_OPTION_T1, seconds / 2);
	dhcp_reply_u32(reply, DHCP_OPTION_T2, (uint32_t)((uint64_t)seconds * 7 / 8));
}

/* OFFER and ACK. */
static void reply_grant(struct lan *lan, const struct request *request, enum dhcp_type type,
	const union addr *address)
{
	uint8_t bytes[MESSAGE_BYTES];
	struct dhcp_reply reply;

	reply_begin(lan, request, type, address, bytes, &reply);
	times_add(lan, &reply);
	if (request->dhcp.type == DHCP_DISCOVER && type == DHCP_ACK)
		dhcp_reply_option(&reply, DHCP_OPTION_RAPID_COMMIT, "", 0);
	network_add(lan, request, &reply);
	reply_send(lan, request, type, address, &reply);
}

static void reply_nak(struct lan *lan, const struct request *request)
{
	static const char why[] = "not an address of yours here";
	uint8_t bytes[MESSAGE_BYTES];
	struct dhcp_reply reply;

	reply_begin(lan, request, DHCP_NAK, &nobody, bytes, &reply);
	dhcp_reply_option(&reply, DHCP_OPTION_MESSAGE, why, sizeof(why) - 1);
	reply_send(lan, request, DHCP_NAK, &nobody, &reply);
}

/* ---- who gets what ---- */

/* What the client may have: the link's address, or a record of its own. */
static bool grant_find(
	struct lan *lan, const struct request *request, struct lease **lease, union addr *address)
{
	if (!lan->settings.many) {
		*lease = NULL;
		*address = lan->settings.address4;
		return !addr_is_zero(address);
	}
	*lease = lease_offer(lan, &request->client);
	if (*lease != NULL)
		*address = (*lease)->lease.address;
	return *lease != NULL;
}

/* The guest of a link of one has no record, but others like to see what it was told. */
static void one_tell(struct lan *lan, const struct request *request, uint64_t expires_ms)
{
	struct lan_lease lease = {
		.family = AF_INET, .address = lan->settings.address4, .expires_ms = expires_ms};

	memcpy(lease.mac, request->client.mac, sizeof(lease.mac));
	memcpy(lease.name, request->name, sizeof(lease.name));
	lease.id_length = request->client.id_length;
	if (lease.id_length > 0)
		memcpy(lease.id, request->client.id, lease.id_length);
	if (lan->host.lease_changed != NULL)
		lan->host.lease_changed(lan->host.context, &lease);
}

static void grant(struct lan *lan, const struct request *request, struct lease *lease,
	const union addr *address)
{
	const uint32_t seconds = lan->network.lease_time_s;
	const char *name = name_given(lan, AF_INET, request->client.mac, request->name);

	if (lease != NULL) {
		memcpy(lease->lease.name, request->name, sizeof(lease->lease.name));
		lease_bind(lan, lease, &request->client, seconds);
	} else {
		one_tell(lan, request, lan->now_ms + seconds * UINT64_C(1000));
	}
	if (name[0] != '\0' && lan->host.guest_name != NULL)
		lan->host.guest_name(lan->host.context, name, AF_INET, address);
	reply_grant(lan, request, DHCP_ACK, address);
}

static void discover(struct lan *lan, const struct request *request)
{
	struct lease *lease;
	union addr address;

	if (!grant_find(lan, request, &lease, &address))
		return;
	if (request->dhcp.rapid_commit)
		grant(lan, request, lease, &address);
	else
		reply_grant(lan, request, DHCP_OFFER, &address);
}

/*
 * RFC 2131, 4.3.2.  The client names the address that it was offered (with the server), that it had
 * before it was started again, or that it uses.  It gets what it names, or is told no.
 */
static void request(struct lan *lan, struct request *request)
{
	const struct dhcp *dhcp = &request->dhcp;
	const bool selecting = !addr_is_zero(&dhcp->server);
	const union addr *wanted =
		addr_is_zero(&dhcp->requested) ? &dhcp->client : &dhcp->requested;
	struct lease *lease;
	union addr address;

	if (selecting && !addr_equal(&dhcp->server, &lan->network.gateway4)) {
		lease = lan->settings.many ? lease_of_client(lan, &request->client) : NULL;
		if (lease != NULL)
			lease_withdraw(lan, lease);
		return;
	}
	request->client.wish = *wanted;
	if (!grant_find(lan, request, &lease, &address)) {
		reply_nak(lan, request);
	} else if (!addr_equal(wanted, &address)) {
		if (lease != NULL)
			lease_withdraw(lan, lease);
		reply_nak(lan, request);
	} else {
		grant(lan, request, lease, &address);
	}
}

static void give_back(struct lan *lan, const struct request *request, const union addr *address)
{
	struct lease *lease = lan->settings.many ? lease_of_client(lan, &request->client) : NULL;

	if (!lan->settings.many && addr_equal(address, &lan->settings.address4))
		one_tell(lan, request, lan->now_ms);
	if (lease == NULL || !addr_equal(address, &lease->lease.address))
		return;
	if (request->dhcp.type == DHCP_DECLINE)
		lease_decline(lan, lease);
	else
		lease_end(lan, lease);
}

/* It has an address by other means, and wants to know the rest. */
static void inform(struct lan *lan, const struct request *request)
{
	const union addr *address = &request->dhcp.client;
	uint8_t bytes[MESSAGE_BYTES];
	struct dhcp_reply reply;

	if (!neighbour_learn(lan, AF_INET, address, request->client.mac)) {
		lan_count(lan, LAN_COUNT_ADDRESS_SPOOFED);
		return;
	}
	reply_begin(lan, request, DHCP_ACK, &nobody, bytes, &reply);
	network_add(lan, request, &reply);
	reply_send(lan, request, DHCP_ACK, address, &reply);
}

/* ---- in ---- */

static void request_read(struct request *request)
{
	const struct dhcp *dhcp = &request->dhcp;

	request->client =
		(struct lease_client){.family = AF_INET, .mac = dhcp->mac, .wish = dhcp->requested};
	if (dhcp->client_id.length <= LAN_CLIENT_ID_MAX) {
		request->client.id = dhcp->client_id.bytes;
		request->client.id_length = dhcp->client_id.length;
	}
	if (dhcp->fqdn.bytes != NULL && dhcp->fqdn_is_wire)
		name_of_wire(dhcp->fqdn.bytes, dhcp->fqdn.length, request->name);
	else if (dhcp->fqdn.bytes != NULL)
		name_of_text(dhcp->fqdn.bytes, dhcp->fqdn.length, request->name);
	if (dhcp->host_name.bytes != NULL && request->name[0] == '\0')
		name_of_text(dhcp->host_name.bytes, dhcp->host_name.length, request->name);
}

enum lan_verdict dhcp_input(struct lan *lan, const struct packet *packet)
{
	struct request message = {0};
	const struct headers *headers = &packet->headers;

	if (headers->kind != L4_UDP || !dhcp_parse(packet->data + headers->payload,
					       packet_payload_bytes(packet), &message.dhcp))
		return lan_drop(lan, LAN_COUNT_MALFORMED);
	if (!mac_equal(message.dhcp.mac, frame_header(packet)->source) ||
		!addr_is_zero(&message.dhcp.relay))
		return lan_drop(lan, LAN_COUNT_MAC_SPOOFED);
	request_read(&message);
	switch (message.dhcp.type) {
	case DHCP_DISCOVER:
		discover(lan, &message);
		break;
	case DHCP_REQUEST:
		request(lan, &message);
		break;
	case DHCP_DECLINE:
		give_back(lan, &message, &message.dhcp.requested);
		break;
	case DHCP_RELEASE:
		give_back(lan, &message, &message.dhcp.client);
		break;
	case DHCP_INFORM:
		inform(lan, &message);
		break;
	default:
		return lan_drop(lan, LAN_COUNT_ROGUE);
	}
	return LAN_CONSUMED;
}
