/* SPDX-License-Identifier: BSD-2-Clause */
/* leases: see leases.h. */
#include "daemon/leases.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "lan/lease.h"

#define WRITE_MS   1000                /* changes are gathered for so long */
#define RETRY_MS   60000               /* where they could not be written */
#define REMEMBER_S (30 * 24 * 60 * 60) /* after they are over */
#define COUNT_MAX  65536               /* the one that is over first gives way */
#define FILE_MAX   ((size_t)COUNT_MAX * LEASE_LINE_SIZE)

struct leases_file {
	struct daemon *daemon;
	struct lease_list list;
	uv_timer_t timer;
	bool changed;
	bool complained; /* that it cannot be written */
	bool damaged;    /* what was read had bad lines, and is not set aside yet */
};

static int64_t now_s(void)
{
	return time(NULL);
}

static char *path_of(const struct leases_file *leases, const char *suffix, char path[256])
{
	snprintf(path, 256, "%s/leases%s", leases->daemon->config->gateway.state, suffix);
	return path;
}

static const char *network_of(const struct leases_file *leases, uint16_t network)
{
	return leases->daemon->config->networks[network].name;
}

/* ---- writing ---- */

static int text_write(const struct leases_file *leases, FILE *file)
{
	char line[LEASE_LINE_SIZE];

	fprintf(file, "# NETWORK LINK ADDRESS MAC EXPIRES NAME CLIENT-ID; written by tungated\n");
	for (unsigned i = 0; i < leases->list.count; i++) {
		lease_format(&leases->list.lease[i], line);
		fputs(line, file);
	}
	/* No fsync(): no packet moves while the disk is waited for, and guests could ask for that
	 * once a second.  Whoever loses the last minute with the host's power finds most addresses
	 * by their MACs. */
	return fflush(file) == 0 ? 0 : -errno;
}

static int file_replace(const struct leases_file *leases)
{
	char path[256], fresh[256];
	int error;

	path_of(leases, "", path);
	path_of(leases, ".new", fresh);
	if (mkdir(leases->daemon->config->gateway.state, 0755) != 0 && errno != EEXIST)
		return -errno;
	if (leases->damaged) {
		char damaged[256];
		(void)rename(path, path_of(leases, ".damaged", damaged));
	}
	(void)unlink(fresh);
	const int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (file == NULL) {
		error = -errno;
		if (fd >= 0)
			close(fd);
		return error;
	}
	error = text_write(leases, file);
	if (fclose(file) != 0 && error == 0)
		error = -errno;
	if (error == 0 && rename(fresh, path) != 0)
		error = -errno;
	return error;
}

static void forget_old(struct leases_file *leases)
{
	const int64_t oldest = now_s() - REMEMBER_S;
	struct lease_list *list = &leases->list;
	unsigned kept = 0;

	for (unsigned i = 0; i < list->count; i++)
		if (list->lease[i].expires_s >= oldest)
			list->lease[kept++] = list->lease[i];
	list->count = kept;
}

static void write_due(uv_timer_t *timer);

static void leases_write(struct leases_file *leases)
{
	if (!leases->changed)
		return;
	forget_old(leases);
	const int error = file_replace(leases);
	leases->changed = error != 0;
	if (error == 0) {
		leases->damaged = leases->complained = false;
		return;
	}
	uv_timer_start(&leases->timer, write_due, RETRY_MS, 0);
	if (!leases->complained) {
		leases->complained = true;
		log_warning(leases->daemon->log,
			"leases will not outlive the gateway: %s cannot be written: %s; `state` in "
			"[gateway] names another directory",
			leases->daemon->config->gateway.state, strerror(-error));
	}
}

static void write_due(uv_timer_t *timer)
{
	leases_write(timer->data);
}

static void leases_touch(struct leases_file *leases)
{
	leases->changed = true;
	if (!uv_is_active((uv_handle_t *)&leases->timer))
		uv_timer_start(&leases->timer, write_due, WRITE_MS, 0);
}

/* ---- reading ---- */

static void line_failed(void *context, unsigned line, const char *text)
{
	struct leases_file *leases = context;
	char path[256];

	leases->damaged = true;
	log_warning(leases->daemon->log,
		"%s:%u: `%s` is no lease and is skipped: allowed: NETWORK LINK ADDRESS MAC EXPIRES "
		"NAME CLIENT-ID",
		path_of(leases, "", path), line, text);
}

static void leases_read(struct leases_file *leases)
{
	char path[256];
	struct stat status;
	FILE *file = fopen(path_of(leases, "", path), "re");

	if (file == NULL) {
		if (errno != ENOENT)
			log_warning(leases->daemon->log, "%s cannot be read: %s", path,
				strerror(errno));
		return;
	}
	if (fstat(fileno(file), &status) == 0 && (size_t)status.st_size <= FILE_MAX) {
		char *text = malloc((size_t)status.st_size + 1);

		if (text != NULL) {
			text[fread(text, 1, (size_t)status.st_size, file)] = '\0';
			leases_parse(&leases->list, text, line_failed, leases);
		}
		free(text);
	}
	fclose(file);
}

/* ---- life ---- */

int leases_open(struct daemon *daemon, struct leases_file **result)
{
	struct leases_file *leases = calloc(1, sizeof(*leases));

	if (leases == NULL)
		return -ENOMEM;
	leases->daemon = daemon;
	uv_timer_init(daemon->loop, &leases->timer);
	leases->timer.data = leases;
	leases_read(leases);
	*result = leases;
	return 0;
}

static void leases_freed(uv_handle_t *handle)
{
	free(handle->data);
}

void leases_close(struct leases_file *leases)
{
	if (leases == NULL)
		return;
	leases_write(leases);
	free(leases->list.lease);
	uv_close((uv_handle_t *)&leases->timer, leases_freed);
}

/* ---- what happens ---- */

static struct known_lease *lease_at(const struct leases_file *leases, uint16_t network,
	uint8_t family, const union addr *address)
{
	for (unsigned i = 0; i < leases->list.count; i++) {
		struct known_lease *lease = &leases->list.lease[i];

		if (lease->family == family && addr_equal(&lease->address, address) &&
			strcmp(lease->network, network_of(leases, network)) == 0)
			return lease;
	}
	return NULL;
}

/* A machine has one address of each family on a link. */
static void others_remove(struct leases_file *leases, const struct known_lease *lease)
{
	struct lease_list *list = &leases->list;
	unsigned kept = 0;

	for (unsigned i = 0; i < list->count; i++) {
		const struct known_lease *other = &list->lease[i];

		if (other->family != lease->family ||
			addr_equal(&other->address, &lease->address) ||
			memcmp(other->mac, lease->mac, sizeof(lease->mac)) != 0 ||
			strcmp(other->network, lease->network) != 0 ||
			strcmp(other->link, lease->link) != 0) {
			if (kept != i)
				list->lease[kept] = *other;
			kept++;
		}
	}
	list->count = kept;
}

static struct known_lease *sooner(struct known_lease *a, struct known_lease *b)
{
	return a == NULL || b->expires_s < a->expires_s ? b : a;
}

/* The record that gives way to one of this link, so that its guests, who may come with any number
 * of MACs, use up their own link's and nobody else's; NULL: there is room. */
static struct known_lease *lease_displaced(
	const struct leases_file *leases, uint16_t network, const char *link)
{
	struct known_lease *first = NULL, *own = NULL;
	unsigned count = 0;

	for (unsigned i = 0; i < leases->list.count; i++) {
		struct known_lease *lease = &leases->list.lease[i];

		first = sooner(first, lease);
		if (strcmp(lease->link, link) != 0 ||
			strcmp(lease->network, network_of(leases, network)) != 0)
			continue;
		own = sooner(own, lease);
		count++;
	}
	if (count >= LEASES_MAX)
		return own;
	return leases->list.count >= COUNT_MAX ? first : NULL;
}

static struct known_lease *lease_new(struct leases_file *leases, uint16_t network, const char *link)
{
	struct lease_list *list = &leases->list;
	struct known_lease *more = lease_displaced(leases, network, link);

	if (more != NULL)
		return more;
	more = reallocarray(list->lease, list->count + 1, sizeof(*more));
	if (more == NULL)
		return NULL;
	list->lease = more;
	more[list->count] = (struct known_lease){0};
	return &more[list->count++];
}

void leases_changed(struct leases_file *leases, uint16_t network, const char *link,
	const struct lan_lease *told)
{
	const uint64_t now_ms = uv_now(leases->daemon->loop);
	struct known_lease *known = lease_at(leases, network, told->family, &told->address);
	struct known_lease lease = {
		.family = told->family,
		.address = told->address,
		.id_length = told->id_length,
		.expires_s = now_s(),
	};

	if (told->expires_ms > now_ms)
		lease.expires_s += (int64_t)((told->expires_ms - now_ms) / 1000);
	memcpy(lease.mac, told->mac, sizeof(lease.mac));
	memcpy(lease.id, told->id, told->id_length);
	snprintf(lease.network, sizeof(lease.network), "%s", network_of(leases, network));
	snprintf(lease.link, sizeof(lease.link), "%s", link);
	if (known != NULL && memcmp(known->mac, lease.mac, sizeof(lease.mac)) == 0)
		memcpy(lease.name, known->name, sizeof(lease.name));
	if (known == NULL)
		known = lease_new(leases, network, link);
	if (known != NULL) {
		*known = lease;
		others_remove(leases, &lease);
		leases_touch(leases);
	}
}

static bool is_over(const struct known_lease *lease)
{
	return lease->expires_s <= now_s();
}

static const struct known_lease *lease_named(
	const struct leases_file *leases, uint16_t network, const char *name, uint8_t family)
{
	for (unsigned i = 0; i < leases->list.count; i++) {
		const struct known_lease *lease = &leases->list.lease[i];

		if (lease->family == family && strcmp(lease->name, name) == 0 && !is_over(lease) &&
			strcmp(lease->network, network_of(leases, network)) == 0)
			return lease;
	}
	return NULL;
}

/* Another machine has the name, be it in the other family: who has but the one address of a name
 * would else be joined by a stranger with the other. */
static bool is_anothers(
	const struct leases_file *leases, const struct known_lease *lease, const char *name)
{
	for (unsigned i = 0; i < leases->list.count; i++) {
		const struct known_lease *other = &leases->list.lease[i];

		if (strcmp(other->name, name) == 0 && !is_over(other) &&
			strcmp(other->network, lease->network) == 0 &&
			(strcmp(other->link, lease->link) != 0 ||
				memcmp(other->mac, lease->mac, sizeof(lease->mac)) != 0))
			return true;
	}
	return false;
}

/* Who is called so is everybody's proxy, or router, unasked (CERT VU#598349). */
static bool is_trusted_blindly(const char *name)
{
	return strcmp(name, "wpad") == 0 || strcmp(name, "isatap") == 0;
}

/* May it have the name, as far as the config says? */
static bool is_permitted(
	const struct network_config *network, const char *name, const struct known_lease *lease)
{
	for (unsigned i = 0; i < network->reservation_count; i++) {
		const struct lan_reservation *reservation = &network->reservations[i];

		if (strcmp(reservation->name, name) == 0)
			return memcmp(reservation->mac, lease->mac, sizeof(lease->mac)) == 0;
	}
	return !is_trusted_blindly(name);
}

void leases_named(struct leases_file *leases, uint16_t network, uint8_t family,
	const union addr *address, const char *name)
{
	const struct daemon *daemon = leases->daemon;
	struct known_lease *lease = lease_at(leases, network, family, address);

	if (lease == NULL || strcmp(lease->name, name) == 0)
		return;
	if (is_anothers(leases, lease, name) ||
		!is_permitted(&daemon->config->networks[network], name, lease)) {
		log_debug(daemon->log, "network %s: a guest calls itself %s, which it is not",
			network_of(leases, network), name);
		return;
	}
	snprintf(lease->name, sizeof(lease->name), "%s", name);
	leases_touch(leases);
}

void leases_restore(
	const struct leases_file *leases, uint16_t network, const char *link, struct lan *lan)
{
	const uint64_t now_ms = uv_now(leases->daemon->loop);
	const int64_t now = now_s();

	for (unsigned i = 0; i < leases->list.count; i++) {
		const struct known_lease *known = &leases->list.lease[i];
		struct lan_lease lease = {.family = known->family,
			.address = known->address,
			.id_length = known->id_length,
			.expires_ms = now_ms};

		if (strcmp(known->network, network_of(leases, network)) != 0 ||
			strcmp(known->link, link) != 0)
			continue;
		memcpy(lease.mac, known->mac, sizeof(lease.mac));
		memcpy(lease.id, known->id, known->id_length);
		memcpy(lease.name, known->name, sizeof(lease.name));
		if (known->expires_s > now)
			lease.expires_ms += (uint64_t)(known->expires_s - now) * 1000;
		lan_lease_restore(lan, &lease);
	}
}

/* ---- asking ---- */

bool leases_of_link(const struct leases_file *leases, uint16_t network, const char *link,
	uint8_t family, union addr *address)
{
	for (unsigned i = 0; i < leases->list.count; i++) {
		const struct known_lease *lease = &leases->list.lease[i];

		if (lease->family != family || strcmp(lease->link, link) != 0 ||
			strcmp(lease->network, network_of(leases, network)) != 0)
			continue;
		*address = lease->address;
		return true;
	}
	return false;
}

bool leases_has(const struct leases_file *leases, uint16_t network, const char *link,
	uint8_t family, const union addr *address)
{
	const struct known_lease *lease = lease_at(leases, network, family, address);

	return lease != NULL && !is_over(lease) && strcmp(lease->link, link) != 0;
}

bool leases_find_name(const struct leases_file *leases, uint16_t network, const char *name,
	uint8_t family, union addr *address)
{
	const struct known_lease *lease = lease_named(leases, network, name, family);

	if (lease != NULL)
		*address = lease->address;
	return lease != NULL;
}

const char *leases_name_of(const struct leases_file *leases, uint16_t network, uint8_t family,
	const union addr *address)
{
	const struct known_lease *lease = lease_at(leases, network, family, address);

	return lease != NULL && lease->name[0] != '\0' && !is_over(lease) ? lease->name : NULL;
}

const struct known_lease *leases_at(const struct leases_file *leases, unsigned index)
{
	return index < leases->list.count ? &leases->list.lease[index] : NULL;
}
