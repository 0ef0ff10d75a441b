/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input: the environment and the network's configuration, read and checked.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "base/siphash.h"
#include "cni.h"
#include "control/protocol.h"

#define MTU_MAX        65535
#define HASHED_MAX     512 /* bytes of container id and interface name */
#define ID_LONG        32  /* characters from which on an id of hex digits is a random one */
#define READABLE_CHARS 12  /* of such an id: what tools show of it */

static const struct {
	const char *name;
	bool container, netns; /* whether it needs to know them */
} commands[] = {
	[CNI_ADD] = {"ADD", true, true},
	[CNI_DEL] = {"DEL", true, false},
	[CNI_CHECK] = {"CHECK", true, true},
	[CNI_GC] = {"GC", false, false},
	[CNI_STATUS] = {"STATUS", false, false},
	[CNI_VERSION] = {"VERSION", false, false},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

/* ---- the environment ---- */

static bool command_read(struct cni_call *call, struct cni_error *error)
{
	const char *name = getenv("CNI_COMMAND");

	for (unsigned i = 0; name && i < COMMAND_COUNT; i++)
		if (strcmp(commands[i].name, name) == 0) {
			call->command = (enum cni_command)i;
			return true;
		}
	if (!name || !*name)
		return cni_fail(error, CNI_ENVIRONMENT_INVALID,
			"CNI_COMMAND is not set: this program is for container runtimes, see "
			"tungate-cni(8)");
	return cni_fail(error, CNI_ENVIRONMENT_INVALID,
		"bad CNI_COMMAND `%.64s`: allowed: ADD, DEL, CHECK, GC, STATUS, VERSION", name);
}

static bool variable_read(const char *name, const char **value, struct cni_error *error)
{
	*value = getenv(name);
	if (*value && **value)
		return true;
	return cni_fail(error, CNI_ENVIRONMENT_INVALID, "%s is not set", name);
}

static bool is_container_id(const char *id)
{
	if (!isalnum((unsigned char)*id))
		return false;
	while (isalnum((unsigned char)*id) || (*id && strchr("_.-", *id)))
		id++;
	return !*id;
}

static bool is_interface_name(const char *name)
{
	const size_t length = strlen(name);

	return length > 0 && length < IFNAMSIZ && strcspn(name, "/: \t\n\v\f\r") == length &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* ---- the link's name ---- */

static uint64_t text_hash(const char *container, const char *ifname)
{
	static const struct siphash_key key = {0};
	uint64_t words[HASHED_MAX / 8] = {0};

	snprintf((char *)words, sizeof(words), "%s/%s", ifname, container);
	return siphash_words(&key, words, sizeof(words) / sizeof(words[0]));
}

static bool is_random_id(const char *id)
{
	return strlen(id) >= ID_LONG && id[strspn(id, "0123456789abcdef")] == '\0';
}

static bool is_plain(const char *ifname)
{
	while (isalnum((unsigned char)*ifname) || *ifname == '_')
		ifname++;
	return !*ifname;
}

/*
 * The same for the same container and interface, and for no other: "cni-ID-IFNAME" where that fits
 * (IFNAME without '-', so that only one pair reads like it), of a random ID as much as tools show
 * of it; else with a hash of both.
 */
static void link_name(struct cni_call *call)
{
	const int shown = is_random_id(call->container) ? READABLE_CHARS : LINK_NAME_SIZE;
	const int length = snprintf(call->link, sizeof(call->link), "cni-%.*s-%s", shown,
		call->container, call->ifname);

	if (length >= LINK_NAME_SIZE || !is_plain(call->ifname))
		snprintf(call->link, sizeof(call->link), "cni-%.8s-%016llx", call->container,
			(unsigned long long)text_hash(call->container, call->ifname));
}

static bool container_read(struct cni_call *call, struct cni_error *error)
{
	if (!variable_read("CNI_CONTAINERID", &call->container, error) ||
		!variable_read("CNI_IFNAME", &call->ifname, error))
		return false;
	if (strlen(call->container) + IFNAMSIZ >= HASHED_MAX || !is_container_id(call->container))
		return cni_fail(error, CNI_ENVIRONMENT_INVALID,
			"bad CNI_CONTAINERID `%.64s`: allowed: letters, digits, `_`, `.`, `-`, and "
			"it begins with a letter or digit",
			call->container);
	if (!is_interface_name(call->ifname))
		return cni_fail(error, CNI_ENVIRONMENT_INVALID,
			"bad CNI_IFNAME `%.64s`: allowed: the name of an interface, at most 15 "
			"characters",
			call->ifname);
	link_name(call);
	return true;
}

/* ---- addresses that are asked for ---- */

static bool ip_take(struct cni_call *call, const char *text, struct cni_error *error)
{
	const size_t length = strcspn(text, "/"); /* some give the prefix's length, too */
	union addr address;
	uint8_t family = 0;
	char ip[sizeof(call->ip[0])];

	snprintf(ip, sizeof(ip), "%.*s", (int)length, text);
	if (length >= sizeof(ip) || !addr_parse(ip, &address, &family))
		return cni_fail(error, CNI_CONFIG_INVALID,
			"bad address `%.64s`: allowed: an IPv4 or IPv6 address of the network",
			text);
	char *slot = call->ip[family == AF_INET ? 0 : 1];
	if (*slot)
		return cni_fail(error, CNI_CONFIG_INVALID,
			"%s and %s are asked for: allowed: one address of each family", slot, ip);
	memcpy(slot, ip, sizeof(ip));
	return true;
}

/* Returns false only for bad ones. */
static bool ips_take(struct cni_call *call, const json_t *list, struct cni_error *error)
{
	const json_t *item;
	size_t i;

	if (list && !json_is_array(list))
		return cni_fail(error, CNI_CONFIG_INVALID, "`ips` must be a list of addresses");
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);
		if (!ip_take(call, text ? text : "(no string)", error))
			return false;
	}
	return true;
}

static bool mac_refuse(const char *mac, struct cni_error *error)
{
	cni_fail(error, CNI_FIELD_UNSUPPORTED,
		"mac = %.64s: the interface is a TUN and has no hardware address", mac);
	return cni_advise(error, "start the container without a MAC address");
}

/* IP=ADDRESS of CNI_ARGS, "KEY=VALUE;KEY=VALUE"; others are somebody else's. */
static bool args_read(struct cni_call *call, struct cni_error *error)
{
	const char *args = getenv("CNI_ARGS");
	char value[128];

	for (; args && *args; args += *args == ';') {
		const size_t length = strcspn(args, ";");
		snprintf(value, sizeof(value), "%.*s", (int)length, args);
		args += length;
		if (strncmp(value, "IP=", 3) == 0 && !ip_take(call, value + 3, error))
			return false;
		if (strncmp(value, "MAC=", 4) == 0)
			return mac_refuse(value + 4, error);
	}
	return true;
}

/* The first of the three places that names any decides. */
static bool ips_read(struct cni_call *call, struct cni_error *error)
{
	const json_t *runtime = json_object_get(call->config, "runtimeConfig");
	const json_t *args = json_object_get(json_object_get(call->config, "args"), "cni");
	const char *mac = json_string_value(json_object_get(runtime, "mac"));

	if (!mac)
		mac = json_string_value(json_object_get(args, "mac"));
	if (mac && *mac)
		return mac_refuse(mac, error);
	if (!ips_take(call, json_object_get(runtime, "ips"), error))
		return false;
	if (!*call->ip[0] && !*call->ip[1] && !ips_take(call, json_object_get(args, "ips"), error))
		return false;
	return *call->ip[0] || *call->ip[1] || args_read(call, error);
}

/* ---- the configuration ---- */

static bool string_read(
	const struct cni_call *call, const char *key, const char **value, struct cni_error *error)
{
	const json_t *item = json_object_get(call->config, key);

	if (!item)
		return true;
	*value = json_string_value(item);
	if (*value && **value)
		return true;
	return cni_fail(error, CNI_CONFIG_INVALID, "`%s` must be a string, and not empty", key);
}

static bool mtu_read(struct cni_call *call, struct cni_error *error)
{
	const json_t *mtu = json_object_get(call->config, "mtu");

	if (!mtu)
		return true;
	if (!json_is_integer(mtu) || json_integer_value(mtu) < 0 ||
		json_integer_value(mtu) > MTU_MAX)
		return cni_fail(
			error, CNI_CONFIG_INVALID, "bad `mtu`: allowed: 576 to %d bytes", MTU_MAX);
	call->mtu = (uint16_t)json_integer_value(mtu);
	return true;
}

static bool ipam_refuse(const struct cni_call *call, struct cni_error *error)
{
	const json_t *ipam = json_object_get(call->config, "ipam");
	const char *type = json_string_value(json_object_get(ipam, "type"));

	if (!type || !*type)
		return true;
	cni_fail(error, CNI_FIELD_UNSUPPORTED,
		"ipam.type = %.64s: the gateway gives its guests their addresses itself", type);
	return cni_advise(
		error, "remove `ipam`; a container can ask for an address of the network");
}

static bool config_read(struct cni_call *call, struct cni_error *error)
{
	call->control = CONTROL_DEFAULT_PATH;
	call->ports =
		json_object_get(json_object_get(call->config, "runtimeConfig"), "portMappings");
	if (call->ports && !json_is_array(call->ports))
		return cni_fail(error, CNI_CONFIG_INVALID, "`portMappings` must be a list");
	return string_read(call, "control", &call->control, error) &&
	       string_read(call, "network", &call->network, error) && mtu_read(call, error) &&
	       ipam_refuse(call, error);
}

/* ---- all of it ---- */

static bool version_read(struct cni_call *call, struct cni_error *error)
{
	const char *version = json_string_value(json_object_get(call->config, "cniVersion"));

	for (unsigned i = 0; version && cni_versions[i]; i++)
		if (strcmp(cni_versions[i], version) == 0) {
			call->version = cni_versions[i];
			return true;
		}
	if (call->command == CNI_VERSION)
		return true;
	cni_fail(error, CNI_VERSION_UNSUPPORTED,
		"cniVersion %.32s is not supported: allowed: 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0",
		version ? version : "(none)");
	return cni_advise(error, "set `cniVersion` in the network's configuration to 1.0.0");
}

static bool stdin_read(struct cni_call *call, struct cni_error *error)
{
	json_error_t why;

	call->config = json_loadf(stdin, JSON_REJECT_DUPLICATES, &why);
	if (!call->config && call->command == CNI_VERSION)
		call->config = json_object();
	if (!call->config)
		return cni_fail(error, CNI_UNDECODABLE,
			"the network's configuration on standard input is not JSON: line %d: %s",
			why.line, why.text);
	if (!json_is_object(call->config))
		return cni_fail(error, CNI_UNDECODABLE,
			"the network's configuration on standard input is not a JSON object");
	return version_read(call, error);
}

bool cni_call_read(struct cni_call *call, struct cni_error *error)
{
	*call = (struct cni_call){.version = VERSION_DEFAULT};
	if (!command_read(call, error) || !stdin_read(call, error))
		return false;
	if (call->command == CNI_VERSION)
		return true;
	if (commands[call->command].netns && !variable_read("CNI_NETNS", &call->netns, error))
		return false;
	if (commands[call->command].container && !container_read(call, error))
		return false;
	if (!config_read(call, error))
		return false;
	return call->command != CNI_ADD || ips_read(call, error);
}

void cni_call_release(struct cni_call *call)
{
	json_decref(call->config);
}
