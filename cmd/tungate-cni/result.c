/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * result: what standard output says, in the words of the configuration's version.
 */
#include <string.h>
#include "cni.h"

/* What a TUN has for a hardware address: runtimes (podman) want one of every interface, and the
 * plugins of the reference say this of the loopback. */
#define NO_MAC "00:00:00:00:00:00"

const char *const cni_versions[] = {"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0", NULL};

bool cni_version_from(const char *version, const char *first)
{
	bool reached = false;

	for (unsigned i = 0; cni_versions[i]; i++) {
		reached |= strcmp(cni_versions[i], first) == 0;
		if (strcmp(cni_versions[i], version) == 0)
			return reached;
	}
	return false;
}

/* ---- addresses and routes ---- */

/* One family of the answer. */
struct family {
	const char *version, *address, *gateway, *subnet, *everything;
};

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static unsigned families_of(
	const json_t *attached, const json_t *network, struct family families[2])
{
	const json_t *link = json_object_get(attached, "link");
	const struct family both[] = {
		{"4", text_of(link, "address4"), text_of(attached, "gateway4"),
			text_of(network, "subnet4"), "0.0.0.0/0"},
		{"6", text_of(link, "address6"), text_of(attached, "gateway6"),
			text_of(network, "subnet6"), "::/0"},
	};
	unsigned count = 0;

	for (unsigned i = 0; i < 2; i++)
		if (both[i].address && both[i].subnet && both[i].gateway)
			families[count++] = both[i];
	return count;
}

static json_t *ip_json(const struct cni_call *call, const struct family *family)
{
	const char *length = strchr(family->subnet, '/');
	json_t *ip = json_pack("{s:o, s:s, s:i}", "address",
		json_sprintf("%s%s", family->address, length ? length : ""), "gateway",
		family->gateway, "interface", 0);

	if (!cni_version_from(call->version, "1.0.0"))
		json_object_set_new(ip, "version", json_string(family->version));
	return ip;
}

/* ---- names ---- */

/* A member of the first object that has a list of some length there, a new reference. */
static json_t *first_list(const json_t *a, const char *key_a, const json_t *b, const char *key_b)
{
	json_t *list = json_object_get(a, key_a);

	if (json_array_size(list) == 0)
		list = json_object_get(b, key_b);
	return json_array_size(list) > 0 ? json_incref(list) : NULL;
}

/* What the container asks for, else the configuration, else the gateway's own. */
static json_t *dns_json(const struct cni_call *call, const json_t *attached)
{
	const json_t *asked =
		json_object_get(json_object_get(call->config, "runtimeConfig"), "dns");
	json_t *given = json_object_get(call->config, "dns");
	json_t *servers = first_list(asked, "servers", given, "nameservers");

	if (!servers)
		servers = json_incref(json_object_get(attached, "dns"));
	return json_pack("{s:o*, s:O*, s:o*, s:o*}", "nameservers", servers, "domain",
		json_object_get(given, "domain"), "search",
		first_list(asked, "searches", given, "search"), "options",
		first_list(asked, "options", given, "options"));
}

/* ---- all of it ---- */

static json_t *interface_json(const struct cni_call *call, const json_t *attached)
{
	json_t *interface = json_pack(
		"{s:s, s:s, s:s}", "name", call->ifname, "mac", NO_MAC, "sandbox", call->netns);

	if (cni_version_from(call->version, "1.1.0"))
		json_object_set(interface, "mtu",
			json_object_get(json_object_get(attached, "link"), "mtu"));
	return interface;
}

json_t *cni_result(const struct cni_call *call, const json_t *attached, const json_t *network)
{
	struct family families[2];
	const unsigned count = families_of(attached, network, families);
	json_t *ips = json_array(), *routes = json_array();

	for (unsigned i = 0; i < count; i++) {
		json_array_append_new(ips, ip_json(call, &families[i]));
		json_array_append_new(routes, json_pack("{s:s, s:s}", "dst", families[i].everything,
						      "gw", families[i].gateway));
	}
	return json_pack("{s:s, s:[o], s:o, s:o, s:o}", "cniVersion", call->version, "interfaces",
		interface_json(call, attached), "ips", ips, "routes", routes, "dns",
		dns_json(call, attached));
}

json_t *cni_error_json(const char *version, const struct cni_error *error)
{
	json_t *json = json_pack("{s:s, s:i, s:s}", "cniVersion", version, "code", (int)error->code,
		"msg", error->message);

	if (*error->details)
		json_object_set_new(json, "details", json_string(error->details));
	return json;
}

json_t *cni_versions_json(const char *version)
{
	json_t *supported = json_array();

	for (unsigned i = 0; cni_versions[i]; i++)
		json_array_append_new(supported, json_string(cni_versions[i]));
	return json_pack("{s:s, s:o}", "cniVersion", version, "supportedVersions", supported);
}
