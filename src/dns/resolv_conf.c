/* SPDX-License-Identifier: BSD-2-Clause */
/* resolv_conf: the host's resolvers, and their changes. */
#include "dns/resolv_conf.h"

#include <libgen.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "host/sockets.h"

#define FILE_BYTES_MAX 65536
#define LOOK_AGAIN_MS  1000
#define TIMEOUT_S_MAX  30 /* as the resolver of libc has it */

enum { WATCH_DIRECTORY, WATCH_TARGET, WATCH_FILE, WATCH_COUNT };

struct resolv_conf {
	uv_loop_t *loop;
	const struct log *log;
	const char *path;
	struct dns_servers *all;
	void (*changed)(void *context);
	void *context;
	struct dns_list *list;
	struct stat seen;
	uint64_t looked_ms;
	uv_fs_event_t watch[WATCH_COUNT];
	unsigned handles; /* still closing */
};

/* ---- text ---- */

/* Link-local servers come with their interface, fe80::1%eth0. */
static void add_server(char *text, struct dns_list *list, struct dns_servers *all)
{
	char *interface = strchr(text, '%');
	struct sockaddr_storage storage;
	union addr address;
	uint8_t family;

	if (interface != NULL)
		*interface++ = '\0';
	if (!addr_parse(text, &address, &family))
		return;
	socket_address(&storage, family, &address, DNS_PORT);
	if (family == AF_INET6 && interface != NULL)
		((struct sockaddr_in6 *)&storage)->sin6_scope_id = if_nametoindex(interface);
	dns_list_add(list, all, &storage);
}

static void take_option(const char *word, struct dns_list *list)
{
	if (strcmp(word, "rotate") == 0)
		list->rotate = true;
	if (strncmp(word, "timeout:", 8) == 0) {
		const long seconds = strtol(word + 8, NULL, 10);
		list->timeout_ms = 1000u * (unsigned)(seconds < 1               ? 1
						      : seconds > TIMEOUT_S_MAX ? TIMEOUT_S_MAX
										: seconds);
	}
}

void resolv_conf_parse(char *text, struct dns_list *list, struct dns_servers *all)
{
	char *lines, *words;

	for (char *line = strtok_r(text, "\n", &lines); line != NULL;
		line = strtok_r(NULL, "\n", &lines)) {
		char *word = strtok_r(line, " \t\r", &words);
		const bool options = word != NULL && strcmp(word, "options") == 0;

		if (word == NULL || (!options && strcmp(word, "nameserver") != 0))
			continue;
		word = strtok_r(NULL, " \t\r", &words);
		if (!options && word != NULL)
			add_server(word, list, all);
		for (; options && word != NULL; word = strtok_r(NULL, " \t\r", &words))
			take_option(word, list);
	}
	/* resolv.conf(5): without a server, it is the host's own. */
	char local[] = "127.0.0.1";
	if (list->count == 0)
		add_server(local, list, all);
}

/* ---- the file ---- */

static void watch_again(struct resolv_conf *conf);

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Read the file; one that is not there is like an empty one. */
static void read_file(struct resolv_conf *conf)
{
	struct dns_list *list = dns_list_create(conf->all);
	char *text = calloc(1, FILE_BYTES_MAX);
	FILE *file = fopen(conf->path, "re");

	if (list != NULL && text != NULL) {
		if (file != NULL)
			(void)!fread(text, 1, FILE_BYTES_MAX - 1, file);
		resolv_conf_parse(text, list, conf->all);
		dns_list_unref(conf->list);
		conf->list = list;
		log_debug(conf->log, "%s: %u DNS servers", conf->path, list->count);
	} else {
		dns_list_unref(list);
	}
	if (file != NULL)
		fclose(file);
	free(text);
}

/* Has it changed?  Then take it up. */
static void look(struct resolv_conf *conf)
{
	struct stat now = {0};

	conf->looked_ms = uv_now(conf->loop);
	if (stat(conf->path, &now) != 0)
		memset(&now, 0, sizeof(now));
	if (conf->list != NULL && same(&now, &conf->seen))
		return;
	const bool first = conf->list == NULL;
	conf->seen = now;
	read_file(conf);
	watch_again(conf);
	if (!first)
		conf->changed(conf->context);
}

static void on_change(uv_fs_event_t *handle, const char *name, int events, int status)
{
	struct resolv_conf *conf = handle->data;

	(void)name;
	(void)events;
	(void)status;
	look(conf);
}

static void watch_directory(struct resolv_conf *conf, unsigned i, const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", file);
	uv_fs_event_start(&conf->watch[i], on_change, dirname(path), 0);
}

/* The link may lead elsewhere now, and the name to another file. */
static void watch_again(struct resolv_conf *conf)
{
	char target[PATH_MAX];

	for (unsigned i = 0; i < WATCH_COUNT; i++)
		uv_fs_event_stop(&conf->watch[i]);
	watch_directory(conf, WATCH_DIRECTORY, conf->path);
	if (realpath(conf->path, target) != NULL && strcmp(target, conf->path) != 0)
		watch_directory(conf, WATCH_TARGET, target);
	uv_fs_event_start(&conf->watch[WATCH_FILE], on_change, conf->path, 0);
}

/* ---- life ---- */

struct resolv_conf *resolv_conf_create(uv_loop_t *loop, const struct log *log, const char *path,
	struct dns_servers *all, void (*changed)(void *context), void *context)
{
	struct resolv_conf *conf = calloc(1, sizeof(*conf));

	if (conf == NULL)
		return NULL;
	conf->loop = loop;
	conf->log = log;
	conf->path = path;
	conf->all = all;
	conf->changed = changed;
	conf->context = context;
	read_file(conf);
	if (conf->list == NULL) {
		free(conf);
		return NULL;
	}
	(void)stat(path, &conf->seen);
	conf->looked_ms = uv_now(loop);
	for (unsigned i = 0; i < WATCH_COUNT; i++) {
		uv_fs_event_init(loop, &conf->watch[i]);
		conf->watch[i].data = conf;
		conf->handles++;
	}
	watch_again(conf);
	return conf;
}

static void on_closed(uv_handle_t *handle)
{
	struct resolv_conf *conf = handle->data;

	if (--conf->handles == 0)
		free(conf);
}

void resolv_conf_close(struct resolv_conf *conf)
{
	if (conf == NULL)
		return;
	dns_list_unref(conf->list);
	for (unsigned i = 0; i < WATCH_COUNT; i++)
		uv_close((uv_handle_t *)&conf->watch[i], on_closed);
}

struct dns_list *resolv_conf_list(struct resolv_conf *conf)
{
	if (uv_now(conf->loop) - conf->looked_ms >= LOOK_AGAIN_MS)
		look(conf);
	return conf->list;
}
