/* SPDX-License-Identifier: BSD-2-Clause */
/* access: who may do what over the control socket. */
#include <errno.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "config/words.h"
#include "daemon/access.h"

/* Whom the kernel shows for users and groups that have no number here; never an owner. */
#define OVERFLOW_ID 65534
/* User namespaces inside each other: the kernel's own limit. */
#define USERNS_DEPTH 33

static const struct {
	const char *method;
	uint8_t role; /* enum access_role */
} roles[] = {
	{"attach", ACCESS_OWNER},             /* own network, own namespace */
	{"connections", ACCESS_OWNER},        /* of own guests */
	{"connections.flush", ACCESS_OWNER},  /* likewise */
	{"connections.follow", ACCESS_OWNER}, /* likewise */
	{"detach", ACCESS_OWNER},             /* from the own network */
	{"domains", ACCESS_OWNER},            /* of own guests */
	{"drops", ACCESS_OWNER},              /* of packets of own guests */
	{"expectations", ACCESS_OWNER},       /* of own guests */
	{"forward.add", ACCESS_OWNER},        /* own ports, to own guests */
	{"forward.del", ACCESS_OWNER},        /* to own guests */
	{"forward.list", ACCESS_OWNER},       /* likewise */
	{"guests", ACCESS_OWNER},             /* own */
	{"leases", ACCESS_OWNER},             /* own */
	{"links", ACCESS_OWNER},              /* own */
	{"networks", ACCESS_OWNER},           /* own */
	{"original", ACCESS_ADMIN}, /* for proxies of the host: whose connections they have */
	{"reload", ACCESS_ADMIN},
	{"rules", ACCESS_ADMIN}, /* they name everybody's networks, and count for all */
	{"rules.trace", ACCESS_ADMIN},
	{"status", ACCESS_OWNER}, /* own figures */
	{"version", ACCESS_ANYBODY},
};

enum access_role access_role_of(const char *method)
{
	for (unsigned i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(roles[i].method, method) == 0)
			return (enum access_role)roles[i].role;
	return ACCESS_ADMIN;
}

/* ---- who ---- */

bool access_is_admin(const struct config *config, const struct control_peer *peer)
{
	return peer->uid == 0 || peer->uid == geteuid() ||
	       (config->gateway.control_gid != CONFIG_NOBODY &&
		       control_peer_is_in(peer, config->gateway.control_gid));
}

static bool is_owner(const struct network_config *network, const struct control_peer *peer)
{
	return (network->owner_uid != CONFIG_NOBODY && network->owner_uid == peer->uid) ||
	       (network->owner_gid != CONFIG_NOBODY &&
		       control_peer_is_in(peer, network->owner_gid));
}

bool access_sees(const struct config *config, const struct control_peer *peer, unsigned network)
{
	return access_is_admin(config, peer) ||
	       (network < config->network_count && is_owner(&config->networks[network], peer));
}

int access_only_network(const struct config *config, const struct control_peer *peer)
{
	int only = -1;

	for (unsigned i = 0; i < config->network_count; i++) {
		if (!access_sees(config, peer, i))
			continue;
		if (only >= 0)
			return -2;
		only = (int)i;
	}
	return only;
}

bool access_authorize(
	const struct config *config, struct control_request *request, const char *method)
{
	const enum access_role role = access_role_of(method);

	if (role == ACCESS_ANYBODY || access_is_admin(config, request->peer))
		return true;
	if (access_only_network(config, request->peer) == -1)
		control_fail(request, CONTROL_DENIED,
			"user id %u owns no network: allowed: root, the user that runs tungated, "
			"members of its control-group, and for a network of theirs its owners",
			(unsigned)request->peer->uid);
	else if (role == ACCESS_ADMIN)
		control_fail(request, CONTROL_DENIED,
			"`%s` is for the administrator: allowed for the owner of a network: "
			"links, connections, guests and published ports of the own one",
			method);
	else
		return true;
	return false;
}

bool access_is_shared(const struct config *config)
{
	for (unsigned i = 0; i < config->network_count; i++)
		if (config->networks[i].owner[0] != '\0' ||
			config->networks[i].owner_group[0] != '\0')
			return true;
	return false;
}

/* ---- names ---- */

__attribute__((format(printf, 2, 3))) static bool name_refuse(
	struct config_errors *errors, const char *format, ...)
{
	char **grown = realloc(errors->text, (errors->count + 1) * sizeof(*grown));
	va_list arguments;

	if (grown == NULL)
		return false;
	errors->text = grown;
	va_start(arguments, format);
	if (vasprintf(&errors->text[errors->count], format, arguments) >= 0)
		errors->count++;
	va_end(arguments);
	return false;
}

static uint32_t user_find(const char *name)
{
	uint32_t number;

	if (number_parse(name, UINT32_MAX - 1, &number))
		return number;
	const struct passwd *user = getpwnam(name);
	return user != NULL ? user->pw_uid : CONFIG_NOBODY;
}

static uint32_t group_find(const char *name)
{
	uint32_t number;

	if (number_parse(name, UINT32_MAX - 1, &number))
		return number;
	const struct group *group = getgrnam(name);
	return group != NULL ? group->gr_gid : CONFIG_NOBODY;
}

static bool id_check(const struct network_config *network, const char *key, const char *name,
	uint32_t id, const char *path, struct config_errors *errors)
{
	if (id == CONFIG_NOBODY)
		return name_refuse(errors,
			"%s:%u: network `%s` has `%s = %s`: allowed: one that exists, or a number",
			path, network->line, network->name, key, name);
	if (id == OVERFLOW_ID)
		return name_refuse(errors,
			"%s:%u: network `%s` has `%s = %s`: allowed: any but %d, which stands for "
			"everybody of other user namespaces",
			path, network->line, network->name, key, name, OVERFLOW_ID);
	return true;
}

bool access_resolve(struct config *config, const char *path, struct config_errors *errors)
{
	bool good = true;

	if (config->gateway.control_group[0] != '\0')
		config->gateway.control_gid = group_find(config->gateway.control_group);
	for (unsigned i = 0; i < config->network_count; i++) {
		struct network_config *network = &config->networks[i];

		if (network->owner[0] != '\0') {
			network->owner_uid = user_find(network->owner);
			good &= id_check(
				network, "owner", network->owner, network->owner_uid, path, errors);
		}
		if (network->owner_group[0] != '\0') {
			network->owner_gid = group_find(network->owner_group);
			good &= id_check(network, "owner-group", network->owner_group,
				network->owner_gid, path, errors);
		}
	}
	return good;
}

/* ---- namespaces ---- */

/* Who made the user namespace, or one around it, has all rights over what belongs to it.  The
 * kernel shows none that lies outside our own. */
bool access_owns_netns(int netns_fd, uid_t uid)
{
	int userns = ioctl(netns_fd, NS_GET_USERNS);
	bool owns = false;

	for (unsigned depth = 0; userns >= 0 && depth < USERNS_DEPTH; depth++) {
		uid_t owner;

		owns = ioctl(userns, NS_GET_OWNER_UID, &owner) == 0 && owner == uid;
		const int parent = owns ? -1 : ioctl(userns, NS_GET_PARENT);
		close(userns);
		userns = parent;
	}
	if (userns >= 0)
		close(userns);
	return owns;
}
