/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests_await: the links that are wanted and not attached.
 *
 * A link of the config waits until what it is attached to exists: a namespace, an interface.  So
 * does one that was attached by request to an interface that went away, since a VM that reboots
 * makes its own anew.  All of them are tried again when an interface has changed, and once a
 * second, which finds namespaces.  What is wrong with a place that does exist is said once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/guests_state.h"
#include "host/netns.h"

#define RETRY_MS 1000

/* ---- the list ---- */

struct awaited *awaited_named(const struct guests *guests, uint16_t network, const char *name)
{
	struct awaited *awaited = guests->awaited;

	while (awaited != NULL && !wanted_is_named(&awaited->wanted, network, name))
		awaited = awaited->next;
	return awaited;
}

void awaited_add(struct guests *guests, const struct wanted *wanted)
{
	struct awaited **last = &guests->awaited, *awaited = calloc(1, sizeof(*awaited));

	if (awaited == NULL)
		return;
	awaited->wanted = *wanted;
	while (*last != NULL)
		last = &(*last)->next;
	*last = awaited;
}

void awaited_remove(struct guests *guests, struct awaited *awaited)
{
	struct awaited **at = &guests->awaited;

	while (*at != awaited)
		at = &(*at)->next;
	*at = awaited->next;
	free(awaited);
}

/* ---- trying ---- */

static void line_ignore(void *context, enum log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)line;
}

/* A place that is not there yet is no fault. */
static int place_open(const struct link_config *config, int *netns_fd)
{
	const struct log silent = {.level = LOG_LEVEL_ERROR, .sink = line_ignore};

	*netns_fd = -1;
	if (config->kind != LINK_NETNS)
		return 0;
	*netns_fd = netns_open(&silent, config->netns);
	return *netns_fd < 0 ? *netns_fd : 0;
}

static void complain(struct guests *guests, struct awaited *awaited, const char *text)
{
	if (strcmp(awaited->complaint, text) == 0)
		return;
	strcpy(awaited->complaint, text);
	log_error(guests->daemon->log, "link %s: %s", awaited->wanted.config.name, text);
}

static void awaited_try(struct guests *guests, struct awaited *awaited)
{
	struct request_error error = {""};
	zone_id zone;
	int netns_fd;

	if (place_open(&awaited->wanted.config, &netns_fd) != 0)
		return;
	const int result = guest_attach(guests, &awaited->wanted, netns_fd, &zone, &error);
	if (netns_fd >= 0)
		close(netns_fd);
	if (result == 0)
		awaited_remove(guests, awaited);
	else if (result != -ENODEV || awaited->wanted.config.kind != LINK_NETDEV)
		complain(guests, awaited, error.text);
}

static void retry_run(uv_timer_t *timer)
{
	guests_start(timer->data);
}

static void retry_in(struct guests *guests, uint64_t ms)
{
	uv_timer_start(&guests->retry, retry_run, ms, 0);
}

void guests_await(struct guests *guests)
{
	retry_in(guests, RETRY_MS);
}

void guests_start(struct guests *guests)
{
	const struct config *config = guests->daemon->config;
	struct awaited *awaited, *next;

	for (unsigned i = 0; i < config->link_count; i++) {
		const struct wanted wanted = {.config = config->links[i]};

		if (guest_named(guests, wanted.config.network, wanted.config.name) == NULL &&
			awaited_named(guests, wanted.config.network, wanted.config.name) == NULL)
			awaited_add(guests, &wanted);
	}
	for (awaited = guests->awaited; awaited != NULL; awaited = next) {
		next = awaited->next;
		awaited_try(guests, awaited);
	}
	if (guests->awaited != NULL)
		retry_in(guests, RETRY_MS);
}

/* ---- reload ---- */

static const struct link_config *config_link_of(
	const struct config *config, const struct wanted *wanted)
{
	for (unsigned i = 0; i < config->link_count; i++)
		if (wanted_is_named(wanted, config->links[i].network, config->links[i].name))
			return &config->links[i];
	return NULL;
}

static bool config_links_equal(const struct link_config *a, const struct link_config *b)
{
	return b != NULL && a->kind == b->kind && a->network == b->network &&
	       addr_equal(&a->address4, &b->address4) && addr_equal(&a->address6, &b->address6) &&
	       strcmp(a->netns, b->netns) == 0 && strcmp(a->device, b->device) == 0 &&
	       strcmp(a->bridge, b->bridge) == 0 && strcmp(a->socket, b->socket) == 0 &&
	       a->socket_mode == b->socket_mode && a->guests == b->guests &&
	       memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

static bool is_still_wanted(const struct guests *guests, const struct wanted *wanted)
{
	return wanted->live ||
	       config_links_equal(&wanted->config, config_link_of(guests->daemon->config, wanted));
}

void guests_update(struct guests *guests)
{
	struct awaited *awaited, *next;

	for (unsigned i = guests->highest; i-- > 0;)
		if (guests->guest[i] != NULL && !is_still_wanted(guests, &guests->guest[i]->wanted))
			guest_close(guests->guest[i]);
		else if (guests->guest[i] != NULL)
			guest_renew(guests->guest[i]);
	for (awaited = guests->awaited; awaited != NULL; awaited = next) {
		next = awaited->next;
		if (!is_still_wanted(guests, &awaited->wanted))
			awaited_remove(guests, awaited);
	}
	guests_start(guests);
}

/* ---- interfaces that come and go ---- */

static bool lives_by_interface(const struct wanted *wanted)
{
	return wanted->config.kind == LINK_NETDEV || wanted->config.kind == LINK_TAP;
}

static struct guest *guest_on_interface(const struct guests *guests, int ifindex)
{
	for (unsigned i = 0; i < guests->highest; i++)
		if (guests->guest[i] != NULL && guests->guest[i]->link->ifindex == ifindex)
			return guests->guest[i];
	return NULL;
}

void guests_interface_changed(
	struct guests *guests, int ifindex, const struct host_interface *interface)
{
	struct awaited *awaited;

	if (guests == NULL)
		return;
	struct guest *guest = guest_on_interface(guests, ifindex);
	if (guest != NULL &&
		(interface == NULL || strcmp(interface->name, guest->link->device) != 0)) {
		guest_lost(guest);
	} else if (guest != NULL) {
		guest->link->away = !interface->up;
		guest_look(guest);
	}
	for (awaited = guests->awaited; awaited != NULL; awaited = awaited->next)
		if (lives_by_interface(&awaited->wanted)) {
			retry_in(guests, 0); /* many changes in a row are one try */
			return;
		}
}
