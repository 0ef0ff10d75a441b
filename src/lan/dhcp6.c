/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp6: the only DHCPv6 server of its link (RFC 8415), where the network has one.
 *
 * As with IPv4, one guest is given the address of its link, and of many each one by its MAC; a
 * client without a record is given one whenever it asks, so that nothing is lost with the gateway's
 * memory. One address each: further associations are told that there are none.
 */
#include "wire/dhcp6.h"

#include "lan/name.h"
#include "lan/state.h"
#include "wire/parse.h"

#define UDP_IP_BYTES  48
#define MESSAGE_BYTES (MADE_BYTES - ETHERNET_BYTES - UDP_IP_BYTES)

/* RFC 8415, 11.4: by our MAC, which is the same everywhere and for ever. */
static const uint8_t server_id[] = {0, 3, 0, 1, 0x02, 0x74, 0x67, 0, 0, 1};
static const union addr all_servers = {.bytes = {0xff, 0x02, [13] = 1, [15] = 2}};

struct request6 {
	struct dhcp6 dhcp;
	struct lease_client client;
	union addr source; /* link-local */
	char name[CONFIG_NAME_SIZE];
	struct dhcp6_reply reply;
	uint8_t bytes[MESSAGE_BYTES];
};

/* ---- what is said ---- */

static void reply_begin(struct request6 *request, enum dhcp6_type type)
{
	const struct dhcp6_text *id = &request->dhcp.client_id;

	dhcp6_reply_begin(
		&request->reply, request->bytes, sizeof(request->bytes), &request->dhcp, type);
	dhcp6_reply_option(&request->reply, DHCP6_OPTION_SERVER_ID, server_id, sizeof(server_id));
	if (id->bytes != NULL)
		dhcp6_reply_option(&request->reply, DHCP6_OPTION_CLIENT_ID, id->bytes, id->length);
}

static void network_add(const struct lan *lan, struct request6 *request)
{
	uint8_t search[CONFIG_DOMAIN_SIZE + 1];

	if (dhcp6_wants(&request->dhcp, DHCP6_OPTION_DNS) && lan->settings.dns6_count > 0)
		dhcp6_reply_option(&request->reply, DHCP6_OPTION_DNS, lan->settings.dns6,
			lan->settings.dns6_count * sizeof(lan->settings.dns6[0]));
	if (dhcp6_wants(&request->dhcp, DHCP6_OPTION_SEARCH))
		dhcp6_reply_option(&request->reply, DHCP6_OPTION_SEARCH, search,
			name_wire(lan->network.domain, search));
}

static void reply_send(struct lan *lan, struct request6 *request)
{
	struct build build = {
		.family = AF_INET6,
		.protocol = IPPROTO_UDP,
		.source = LAN_GATEWAY_LINK_LOCAL,
		.destination = request->source,
		.source_port = DHCP6_SERVER_PORT,
		.destination_port = DHCP6_CLIENT_PORT,
		.payload = request->bytes,
	};

	network_add(lan, request);
	build.payload_bytes = (uint32_t)request->reply.length;
	frame_packet(lan, request->client.mac, &build);
}

/* ---- who gets what ---- */

static bool grant_find(
	struct lan *lan, const struct request6 *request, struct lease **lease, union addr *address)
{
	if (!lan->settings.many) {
		*lease = NULL;
		*address = lan->settings.address6;
		return !addr_is_zero(address);
	}
	*lease = lease_offer(lan, &request->client);
	if (*lease != NULL)
		*address = (*lease)->lease.address;
	return *lease != NULL;
}

static void one_tell(struct lan *lan, const struct request6 *request, uint64_t expires_ms)
{
	struct lan_lease lease = {.family = AF_INET6,
		.address = lan->settings.address6,
		.expires_ms = expires_ms,
		.id_length = request->client.id_length};

	memcpy(lease.mac, request->client.mac, sizeof(lease.mac));
	memcpy(lease.id, request->client.id, lease.id_length);
	if (lan->host.lease_changed != NULL)
		lan->host.lease_changed(lan->host.context, &lease);
}

static void address_bind(struct lan *lan, const struct request6 *request, struct lease *lease,
	const union addr *address)
{
	const uint32_t seconds = lan->network.lease_time_s;
	const char *name = name_given(lan, AF_INET6, request->client.mac, request->name);

	if (lease != NULL)
		lease_bind(lan, lease, &request->client, seconds);
	else
		one_tell(lan, request, lan->now_ms + seconds * UINT64_C(1000));
	if (name[0] != '\0' && lan->host.guest_name != NULL)
		lan->host.guest_name(lan->host.context, name, AF_INET6, address);
}

/* The first association has the address, and the end of those that it should no longer have. */
static void ia_grant(const struct lan *lan, struct request6 *request, const struct dhcp6_ia *ia,
	const union addr *address)
{
	const uint32_t seconds = lan->network.lease_time_s;
	const size_t place = dhcp6_reply_ia_begin(
		&request->reply, ia->id, seconds / 2, (uint32_t)((uint64_t)seconds * 4 / 5));

	dhcp6_reply_address(&request->reply, address, seconds);
	for (unsigned i = 0; i < ia->count; i++)
		if (!addr_equal(&ia->address[i], address) && request->dhcp.type != DHCP6_SOLICIT)
			dhcp6_reply_address(&request->reply, &ia->address[i], 0);
	dhcp6_reply_ia_end(&request->reply, place);
}

static void ia_refuse(struct request6 *request, const struct dhcp6_ia *ia, enum dhcp6_status status)
{
	const size_t place = dhcp6_reply_ia_begin(&request->reply, ia->id, 0, 0);

	dhcp6_reply_status(&request->reply, status);
	dhcp6_reply_ia_end(&request->reply, place);
}

/* SOLICIT, REQUEST, RENEW, REBIND: an offer, or the address itself. */
static void grant(struct lan *lan, struct request6 *request)
{
	const bool offer = request->dhcp.type == DHCP6_SOLICIT && !request->dhcp.rapid_commit;
	struct lease *lease;
	union addr address;

	reply_begin(request, offer ? DHCP6_ADVERTISE : DHCP6_REPLY);
	if (request->dhcp.type == DHCP6_SOLICIT && !offer)
		dhcp6_reply_option(&request->reply, DHCP6_OPTION_RAPID_COMMIT, "", 0);
	for (unsigned i = 0; i < request->dhcp.ia_count; i++) {
		const struct dhcp6_ia *ia = &request->dhcp.ia[i];

		if (i > 0 || !grant_find(lan, request, &lease, &address)) {
			ia_refuse(request, ia, DHCP6_NO_ADDRESSES);
			continue;
		}
		ia_grant(lan, request, ia, &address);
		if (!offer)
			address_bind(lan, request, lease, &address);
	}
	reply_send(lan, request);
}

/* Are its addresses still of this link?  Without any there is nothing to say. */
static void confirm(struct lan *lan, struct request6 *request)
{
	enum dhcp6_status status = DHCP6_SUCCESS;
	unsigned count = 0;

	for (unsigned i = 0; i < request->dhcp.ia_count; i++)
		for (unsigned j = 0; j < request->dhcp.ia[i].count; j++) {
			count++;
			if (!lan_subnet_has(lan, AF_INET6, &request->dhcp.ia[i].address[j]))
				status = DHCP6_NOT_ON_LINK;
		}
	if (count == 0)
		return;
	reply_begin(request, DHCP6_REPLY);
	dhcp6_reply_status(&request->reply, status);
	reply_send(lan, request);
}

static bool address_give_back(
	struct lan *lan, const struct request6 *request, const union addr *address)
{
	struct lease *lease = lan->settings.many ? lease_of_client(lan, &request->client) : NULL;

	if (!lan->settings.many && addr_equal(address, &lan->settings.address6)) {
		one_tell(lan, request, lan->now_ms);
		return true;
	}
	if (lease == NULL || !addr_equal(address, &lease->lease.address))
		return false;
	if (request->dhcp.type == DHCP6_DECLINE)
		lease_decline(lan, lease);
	else
		lease_end(lan, lease);
	return true;
}

static void give_back(struct lan *lan, struct request6 *request)
{
	reply_begin(request, DHCP6_REPLY);
	dhcp6_reply_status(&request->reply, DHCP6_SUCCESS);
	for (unsigned i = 0; i < request->dhcp.ia_count; i++) {
		const struct dhcp6_ia *ia = &request->dhcp.ia[i];
		bool known = false;

		for (unsigned j = 0; j < ia->count; j++)
			known |= address_give_back(lan, request, &ia->address[j]);
		if (!known)
			ia_refuse(request, ia, DHCP6_NO_BINDING);
	}
	reply_send(lan, request);
}

static void inform(struct lan *lan, struct request6 *request)
{
	reply_begin(request, DHCP6_REPLY);
	reply_send(lan, request);
}

/* ---- in ---- */

/* RFC 8415, 16: who must be named, and who must not. */
static bool is_valid(const struct dhcp6 *dhcp)
{
	const bool ours = dhcp->server_id.length == sizeof(server_id) &&
			  memcmp(dhcp->server_id.bytes, server_id, sizeof(server_id)) == 0;

	switch (dhcp->type) {
	case DHCP6_SOLICIT:
	case DHCP6_CONFIRM:
	case DHCP6_REBIND:
		return dhcp->client_id.bytes != NULL && dhcp->server_id.bytes == NULL;
	case DHCP6_REQUEST:
	case DHCP6_RENEW:
	case DHCP6_RELEASE:
	case DHCP6_DECLINE:
		return dhcp->client_id.bytes != NULL && ours;
	case DHCP6_INFORMATION:
		return (dhcp->server_id.bytes == NULL || ours) && dhcp->ia_count == 0;
	default:
		return false;
	}
}

static void request_read(struct request6 *request, const struct packet *packet)
{
	const struct dhcp6 *dhcp = &request->dhcp;

	request->source = packet->headers.source;
	request->client = (struct lease_client){
		.family = AF_INET6, .mac = frame_header(packet)->source, .id = server_id};
	if (dhcp->client_id.length > 0 && dhcp->client_id.length <= LAN_CLIENT_ID_MAX) {
		request->client.id = dhcp->client_id.bytes;
		request->client.id_length = (uint8_t)dhcp->client_id.length;
	}
	if (dhcp->ia_count > 0 && dhcp->ia[0].count > 0)
		request->client.wish = dhcp->ia[0].address[0];
	if (dhcp->fqdn.bytes != NULL)
		name_of_wire(dhcp->fqdn.bytes, dhcp->fqdn.length, request->name);
}

static bool is_from_server(const struct dhcp6 *dhcp)
{
	return dhcp->type == DHCP6_ADVERTISE || dhcp->type == DHCP6_REPLY ||
	       dhcp->type == DHCP6_RECONFIGURE;
}

enum lan_verdict dhcp6_input(struct lan *lan, const struct packet *packet)
{
	const struct headers *headers = &packet->headers;
	struct request6 request = {.name = ""};

	if (!dhcp6_parse(
		    packet->data + headers->payload, packet_payload_bytes(packet), &request.dhcp))
		return lan_drop(lan, LAN_COUNT_MALFORMED);
	if (is_from_server(&request.dhcp))
		return lan_drop(lan, LAN_COUNT_ROGUE);
	if (!is_valid(&request.dhcp) || !addr_equal(&headers->destination, &all_servers) ||
		!addr_is_link_local(AF_INET6, &headers->source))
		return lan_drop(lan, LAN_COUNT_MALFORMED);
	request_read(&request, packet);
	switch (request.dhcp.type) {
	case DHCP6_CONFIRM:
		confirm(lan, &request);
		break;
	case DHCP6_RELEASE:
	case DHCP6_DECLINE:
		give_back(lan, &request);
		break;
	case DHCP6_INFORMATION:
		inform(lan, &request);
		break;
	default:
		grant(lan, &request);
		break;
	}
	return LAN_CONSUMED;
}
