/* SPDX-License-Identifier: BSD-2-Clause */
/* traffic: the command line of the generators; see traffic.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "traffic.h"

static const struct command {
	const char *name;
	int (*run)(const struct run *run);
	const char *help;
} commands[] = {
	{"rr", tcp_rr, "one TCP connection, request and answer in turn: seconds="},
	{"crr", tcp_crr, "connect, request, answer, close: seconds= parallel="},
	{"udp-rate", udp_rate,
		"highest packet rate with little loss: in=0|1 size= trial_ms= loss= from= to="},
	{"udp-new", udp_new, "flows from new ports a second: seconds= parallel="},
	{"udp-alive", udp_alive, "latency over many flows held open: flows= seconds="},
	{"udp-first", udp_first, "the moment when the first packet comes back: seconds="},
};

static int usage(void)
{
	fputs("usage: traffic serve ADDRESS | traffic COMMAND SERVER [KEY=VALUE...]\n", stderr);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(stderr, "  %-10s %s\n", commands[i].name, commands[i].help);
	return 2;
}

static int address_parse(const char *text, struct run *run)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&run->server;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&run->server;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		run->server_length = sizeof(*v4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		run->server_length = sizeof(*v6);
		return 0;
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct run run = {.argc = argc - 3, .argv = argv + 3};

	if (argc < 3 || address_parse(argv[2], &run) != 0)
		return usage();
	if (strcmp(argv[1], "serve") == 0)
		return serve(&run);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(&run);
	}
	return usage();
}
