/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reload: a new config takes the old one's place, whole or not at all.
 *
 * Everything that can fail is tried before anything is changed: the file is read and checked, what
 * cannot change while running is compared, the ruleset is compiled.  Then the new config is
 * swapped in, and what hangs on it follows.  Flows, and links and forwards added by request, stay.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "control/server.h"
#include "daemon/access.h"
#include "daemon/daemon.h"
#include "daemon/guests.h"
#include "daemon/publish.h"
#include "daemon/redirects.h"
#include "daemon/service.h"
#include "daemon/uplinks.h"

__attribute__((format(printf, 2, 3))) static void errors_add(
	struct config_errors *errors, const char *format, ...)
{
	char **grown = realloc(errors->text, (errors->count + 1) * sizeof(*grown));
	va_list arguments;
	int length;

	if (grown == NULL)
		return;
	errors->text = grown;
	va_start(arguments, format);
	length = vasprintf(&errors->text[errors->count], format, arguments);
	va_end(arguments);
	if (length >= 0)
		errors->count++;
}

/* ---- forwards of the file ---- */

static bool forward_is_in(const struct config *config, const struct forward *forward)
{
	for (unsigned i = 0; i < config->forward_count; i++) {
		const struct forward *other = &config->forwards[i];
		if (other->network == forward->network && other->protocol == forward->protocol &&
			other->ports.first == forward->ports.first &&
			other->ports.last == forward->ports.last &&
			other->host_family == forward->host_family &&
			addr_equal(&other->host, &forward->host) &&
			other->guest_family == forward->guest_family &&
			addr_equal(&other->guest, &forward->guest) &&
			other->guest_port == forward->guest_port)
			return true;
	}
	return false;
}

static void forwards_delete(
	struct daemon *daemon, const struct config *from, const struct config *unless_in)
{
	struct request_error error;

	for (unsigned i = 0; i < from->forward_count; i++)
		if (!forward_is_in(unless_in, &from->forwards[i]))
			publish_del(daemon->publish, &from->forwards[i], &error);
}

static int forwards_add(struct daemon *daemon, const struct config *from,
	const struct config *unless_in, struct config_errors *errors)
{
	struct request_error error;
	int result = 0;

	for (unsigned i = 0; i < from->forward_count && result == 0; i++) {
		if (forward_is_in(unless_in, &from->forwards[i]))
			continue;
		result = publish_add(daemon->publish, &from->forwards[i], &error);
		if (result != 0)
			errors_add(errors, "%s:%u: %s", daemon->config_path, from->forwards[i].line,
				error.text);
	}
	return result;
}

/* Replace the old file's forwards; on failure those are back. */
static int forwards_replace(struct daemon *daemon, const struct config *old,
	const struct config *config, struct config_errors *errors)
{
	struct config_errors ignored = {0};

	forwards_delete(daemon, old, config);
	const int result = forwards_add(daemon, config, old, errors);
	if (result == 0)
		return 0;
	forwards_delete(daemon, config, old);
	forwards_add(daemon, old, config, &ignored);
	config_errors_free(&ignored);
	return result;
}

static int redirects_replace(struct daemon *daemon, struct config_errors *errors)
{
	struct request_error refusal;
	const int result = redirects_prepare(daemon->redirects, &refusal);

	if (result != 0)
		errors_add(errors, "%s: %s", daemon->config_path, refusal.text);
	return result;
}

int daemon_reload(struct daemon *daemon, struct config_errors *errors)
{
	struct config *old = daemon->config;
	struct config *config = daemon_config_read(daemon->config_path, errors);
	struct ruleset *ruleset = NULL;
	char difference[512];
	struct request_error refusal;
	int result = -EINVAL;

	if (config == NULL)
		return result;
	if (!config_reloadable(old, config, difference, sizeof(difference))) {
		errors_add(errors, "%s", difference);
		goto failed;
	}
	result = uplinks_owned_check(daemon->uplinks, config, &refusal);
	if (result != 0) {
		errors_add(errors, "%s", refusal.text);
		goto failed;
	}
	ruleset = ruleset_create(config);
	if (ruleset == NULL) {
		result = -ENOMEM;
		goto failed;
	}
	daemon->config = config;
	engine_networks_set(daemon->engine, config->networks, config->network_count);
	result = service_update(daemon->service);
	if (result == 0)
		result = redirects_replace(daemon, errors);
	if (result != 0)
		goto back;
	result = forwards_replace(daemon, old, config, errors);
	if (result != 0)
		goto redirects;
	redirects_commit(daemon->redirects);
	ruleset_free(engine_ruleset_swap(daemon->engine, ruleset));
	engine_timeouts_set(daemon->engine, &config->timeouts);
	engine_limits_set(daemon->engine, &config->limits);
	if (!daemon->level_given)
		daemon->log->level = config->gateway.log_level;
	uplinks_owned_renew(daemon->uplinks);
	publish_renew(daemon->publish);
	guests_update(daemon->guests);
	control_server_open_to(daemon->server, access_is_shared(config));
	config_free(old);
	log_info(daemon->log, "the configuration is reloaded");
	return 0;

redirects:
	redirects_abort(daemon->redirects);
back:
	daemon->config = old;
	engine_networks_set(daemon->engine, old->networks, old->network_count);
	service_update(daemon->service);
	ruleset_free(ruleset);
failed:
	config_free(config);
	return result;
}
