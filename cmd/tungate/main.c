/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tungate: the command by which people and scripts talk to tungated.
 *
 * A table of subcommands.  Most are one request to the daemon, whose result is shown for people or,
 * with --json, as it came.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ask.h"
#include "command.h"
#include "import.h"
#include "run.h"
#include "show.h"
#include "tungate/control.h"

#define ARRAY_COUNT(array) (sizeof(array) / sizeof(array)[0])
#define HELP_WIDTH         78

/* ---- the table ---- */

/* clang-format off: rows of a table */
#define FILTER_OPTIONS                                                                             \
	{"--protocol", "NAME", "only tcp, udp, icmp, icmpv6 or a number"},                         \
		{"--link", "NAME", "only from or to this link"},                                   \
		{"--address", "ADDRESS", "only with this address or prefix at an end"},            \
		{"--port", "PORT", "only with this port at an end"},                               \
	{                                                                                          \
		"--state", "STATE", "only in this state, such as established"                      \
	}

static const struct option flush_options[] = {FILTER_OPTIONS, {0}};
static const struct option connections_options[] = {
	FILTER_OPTIONS,
	{"--limit", "N", "at most so many"},
	{"--follow", NULL, "show those that begin and end from now on"},
	{0},
};

#define GUEST_OPTIONS                                                                              \
	{"--name", "NAME", "what to call the link (else the daemon chooses)"},                     \
		{"--network", "NAME", "the network to join (else the first one)"},                 \
	{                                                                                          \
		"--address", "ADDRESS",                                                            \
			"the guest's: IPv4, IPv6, or both with a comma (else a free one)"          \
	}

static const struct option run_options[] = {
	GUEST_OPTIONS,
	{"--map-root", NULL, "look like root inside, without being it"},
	{0},
};
static const struct option attach_options[] = {
	{"--netns", "WHERE", "a namespace: NAME, PATH or pid:N"},
	{"--device", "NAME", "... the interface's name in it (else eth0)"},
	{"--netdev", "IF", "an interface of the host's, taken over, such as a VM's TAP"},
	{"--tap", "NAME", "a TAP of this name, made by the gateway"},
	{"--bridge", "IF", "... which joins this bridge"},
	{"--qemu", "PATH", "a unix socket for QEMU's -netdev stream"},
	{"--datagram", NULL, "... for -netdev dgram"},
	{"--many", NULL, "many guests are behind the interface, TAP or socket"},
	{"--mac", "MAC", "the only MAC address that the guest may have"},
	GUEST_OPTIONS,
	{"--mtu", "BYTES", "the guest's (else the network's)"},
	{0},
};
static const struct option drops_options[] = {
	{"--all", NULL, "also reasons that never occurred"},
	{0},
};
static const struct option import_options[] = {
	{"--lan", "IF=NETWORK[,SUBNET]", "the network behind an interface of the rules"},
	{"--uplink", "IF", "an interface that is the uplink"},
	{"--v6", NULL, "it is of ip6tables-save"},
	{0},
};
/* clang-format on */

static const struct subcommand subcommands[] = {
	{
		.name = "status",
		.operands = "",
		.summary = "the daemon, its uplinks, how much is in use",
		.example = "tungate status --json | jq .flows.now",
		.method = "status",
		.params = no_params,
		.show = show_status,
	},
	{
		.name = "networks",
		.operands = "",
		.summary = "the virtual networks",
		.example = "tungate networks",
		.method = "networks",
		.params = no_params,
		.show = show_networks,
	},
	{
		.name = "links",
		.operands = "",
		.summary = "the guests that are attached, and those awaited",
		.example = "tungate links",
		.method = "links",
		.params = no_params,
		.show = show_links,
	},
	{
		.name = "guests",
		.operands = "",
		.summary = "what each guest has, and what its limits have refused",
		.example = "tungate guests --json | jq '.[] | select(.refused.flows > 0)'",
		.method = "guests",
		.params = no_params,
		.show = show_guests,
	},
	{
		.name = "leases",
		.operands = "",
		.summary = "the addresses that guests were given by DHCP",
		.details = "One that is over is remembered for its guest until others need it.",
		.example = "tungate leases --json | jq -r '.[] | [.address, .mac, .name] | @tsv'",
		.method = "leases",
		.params = no_params,
		.show = show_leases,
	},
	{
		.name = "domains",
		.operands = "",
		.summary = "names that guests have asked for, and those that they were refused",
		.details = "open: rules with `to domain` accept it; resolved: none does; rejected: "
			   "a rule with `log` refused packets to it; refused: the name itself was "
			   "(dns-names = allowed).",
		.example = "tungate domains --json | jq '.[] | select(.state == \"refused\")'",
		.method = "domains",
		.params = no_params,
		.show = show_domains,
	},
	{
		.name = "dns",
		.operands = "",
		.summary = "what the gateway's DNS was asked, and whom it asks",
		.details = "OWN: answered from names of the gateway's own; CACHED: from memory; "
			   "ASKED: of a server; REFUSED: names that are not allowed; BLOCKED: "
			   "private addresses from outside (dns-rebind); DROPPED: for newer "
			   "questions.  A server that has failed is avoided for ten seconds.",
		.example = "tungate dns --json | jq .cache",
		.method = "dns",
		.params = no_params,
		.show = show_dns,
	},
	{
		.name = "dns flush",
		.operands = "",
		.summary = "forget the answers that are remembered",
		.example = "tungate dns flush",
		.method = "dns.flush",
		.params = no_params,
		.show = show_dns_flushed,
	},
	{
		.name = "forward add",
		.operands = "tcp|udp [HOSTADDR:]PORT[-PORT] GUEST[:PORT]",
		.summary = "publish a port of the host",
		.details = "GUEST is the name of a link or an address; IPv6 addresses stand in "
			   "brackets; NETWORK/GUEST where several networks have it.  "
			   "The forward lasts until it is deleted or the daemon ends.",
		.example = "tungate forward add tcp 8080 web:80",
		.operands_min = 3,
		.operands_max = 3,
		.method = "forward.add",
		.params = forward_add_params,
		.show = show_forwards_added,
	},
	{
		.name = "forward del",
		.operands = "tcp|udp [HOSTADDR:]PORT[-PORT]",
		.summary = "no longer publish it; its connections end",
		.example = "tungate forward del tcp 8080",
		.operands_min = 2,
		.operands_max = 2,
		.method = "forward.del",
		.params = forward_del_params,
		.show = show_forwards_deleted,
	},
	{
		.name = "forward list",
		.operands = "",
		.summary = "the published ports",
		.example = "tungate forward list",
		.method = "forward.list",
		.params = no_params,
		.show = show_forwards,
	},
	{
		.name = "connections",
		.operands = "",
		.summary = "the connections through the gateway",
		.details = "Filters given together must all hold.",
		.example = "tungate connections --link web --port 443",
		.options = connections_options,
		.handle = ask_connections,
		.show = show_connections,
	},
	{
		.name = "connections flush",
		.operands = "",
		.summary = "end connections: all, or those that match",
		.example = "tungate connections flush --link web",
		.options = flush_options,
		.method = "connections.flush",
		.params = filter_params,
		.show = show_flushed,
	},
	{
		.name = "expectations",
		.operands = "",
		.summary = "connections that helpers have announced and that have not come yet",
		.example = "tungate expectations --json",
		.method = "expectations",
		.params = no_params,
		.show = show_expectations,
	},
	{
		.name = "original",
		.operands = "tcp|udp PEER:PORT [LOCAL:PORT]",
		.summary = "where the client of a proxy wanted to go",
		.details =
			"PEER is whom the proxy sees at the other end of a connection that was "
			"redirected or forwarded to it, LOCAL its own end; IPv6 addresses stand in "
			"brackets.",
		.example = "tungate original tcp 127.0.0.1:40312",
		.operands_min = 2,
		.operands_max = 3,
		.method = "original",
		.params = original_params,
		.show = show_original,
	},
	{
		.name = "rules",
		.operands = "",
		.summary = "the chains with counters, the sets, and the NAT rules",
		.example = "tungate rules",
		.method = "rules",
		.params = no_params,
		.show = show_rules,
	},
	{
		.name = "rules trace",
		.operands = "'[in SIDE] PROTO SOURCE[:PORT] > DESTINATION[:PORT] [WORD...]'",
		.summary = "what would become of a packet, and which rule says so",
		.details = "SIDE is a link, a network, uplink or gateway; without it, where the "
			   "source is.  PROTO is tcp, udp, icmp or a number.  A WORD is one or "
			   "several TCP flags (else syn), echo-request, echo-reply or an ICMP type "
			   "N[/CODE], ttl N, length N.  Nothing is sent, counted or changed.",
		.example = "tungate rules trace 'in lab tcp 10.77.0.2:4000 > 198.51.100.10:80 syn'",
		.operands_min = 1,
		.operands_max = 1,
		.method = "rules.trace",
		.params = trace_params,
		.show = show_trace,
	},
	{
		.name = "drops",
		.operands = "",
		.summary = "why packets were dropped, and how many",
		.example = "tungate drops",
		.options = drops_options,
		.method = "drops",
		.params = no_params,
		.show = show_drops,
	},
	{
		.name = "attach",
		.operands = "--netns NAME|PATH|pid:N | --netdev IF | --tap NAME | --qemu PATH",
		.summary = "attach a container's namespace or a VM to the gateway",
		.details =
			"A namespace gets an interface with an address and default routes; what "
			"is attached by Ethernet asks by DHCP.  It stays attached until `detach`, "
			"or until the namespace or the daemon ends.",
		.example = "tungate attach --netns pid:$(pidof -s nginx) --name web",
		.options = attach_options,
		.handle = ask_attach,
		.show = show_attached,
	},
	{
		.name = "detach",
		.operands = "NAME",
		.summary = "take a guest off the gateway; its connections end",
		.example = "tungate detach web",
		.operands_min = 1,
		.operands_max = 1,
		.method = "detach",
		.params = detach_params,
		.show = show_detached,
	},
	{
		.name = "run",
		.operands = "[--] [COMMAND [WORD...]]",
		.summary = "run a command whose only way out is the gateway",
		.details = "COMMAND (or $SHELL) runs in a network namespace of its own, with a "
			   "resolv.conf "
			   "that names the gateway; nothing that it has begun outlives it.  "
			   "An owner of a network needs no root.  The exit status is the "
			   "command's; 128+N where "
			   "signal N "
			   "killed it, 127 where there is no such command, 126 where it cannot be "
			   "run.",
		.example = "tungate run -- curl http://example.org",
		.options = run_options,
		.keeps_rest = true,
		.handle = run,
	},
	{
		.name = "import",
		.operands = "FILE",
		.summary = "write the rules of iptables-save as a configuration",
		.details =
			"FILE is what iptables-save or ip6tables-save has printed; - is standard "
			"input.  --lan and --uplink may be repeated; what they do not say is "
			"guessed.  What cannot be expressed stays as a comment in its place and is "
			"named; the exit status is 0 where there is nothing of it, else 1.",
		.example = "iptables-save | tungate import --lan eth0=home --uplink ppp0 -",
		.options = import_options,
		.operands_min = 1,
		.operands_max = 1,
		.handle = import,
	},
	{
		.name = "reload",
		.operands = "",
		.summary = "have the daemon read its configuration again: all or nothing",
		.example = "tungate reload",
		.method = "reload",
		.params = no_params,
		.show = show_reloaded,
	},
	{
		.name = "version",
		.operands = "",
		.summary = "the versions of this command and of the daemon",
		.example = "tungate version",
		.method = "version",
		.params = no_params,
		.show = show_version,
	},
};

/* ---- help ---- */

static void help_options(const struct option *options)
{
	for (; options && options->name; options++) {
		char text[64];
		snprintf(text, sizeof(text), "%s%s%s", options->name, options->value ? " " : "",
			options->value ? options->value : "");
		printf("  %-20s %s\n", text, options->meaning);
	}
}

/* Print a paragraph in lines of at most HELP_WIDTH. */
static void help_paragraph(const char *text)
{
	size_t column = 0;

	while (*text) {
		const size_t length = strcspn(text, " ");
		if (column > 0 && column + 1 + length > HELP_WIDTH) {
			putchar('\n');
			column = 0;
		}
		column += (size_t)printf("%s%.*s", column ? " " : "", (int)length, text);
		text += length;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static int help_all(FILE *file)
{
	fputs("usage: tungate [--socket PATH] [--json] COMMAND ...\n\nCommands:\n", file);
	for (unsigned i = 0; i < ARRAY_COUNT(subcommands); i++)
		fprintf(file, "  %-20s %s\n", subcommands[i].name, subcommands[i].summary);
	fputs("\n`tungate COMMAND --help` shows a command's options and an example.\n"
	      "Exit status: 0 done, 1 failed, 2 wrong usage or value, 3 daemon not reached,\n"
	      "4 denied, 5 not found, 6 exists already.\n",
		file);
	return file == stdout ? STATUS_OK : STATUS_USAGE;
}

static int help_command(const struct subcommand *command)
{
	printf("usage: tungate %s%s%s%s\n\n%s\n", command->name,
		command->options ? " [OPTION...]" : "", *command->operands ? " " : "",
		command->operands, command->summary);
	if (command->details) {
		putchar('\n');
		help_paragraph(command->details);
	}
	puts("\nOptions:");
	help_options(command->options);
	help_options(common_options);
	printf("\nExample:\n  %s\n", command->example);
	return STATUS_OK;
}

/* ---- finding the subcommand ---- */

/* How many words of `words` name this subcommand; 0: they name another. */
static unsigned words_match(const struct subcommand *command, char **words)
{
	const char *second = strchr(command->name, ' ');
	const size_t length = second ? (size_t)(second - command->name) : strlen(command->name);

	if (strlen(words[0]) != length || memcmp(words[0], command->name, length) != 0)
		return 0;
	if (!second)
		return 1;
	return words[1] && strcmp(words[1], second + 1) == 0 ? 2 : 0;
}

/* The subcommand that most words name; steps over them. */
static const struct subcommand *subcommand_find(char ***words)
{
	const struct subcommand *found = NULL;
	unsigned longest = 0;

	for (unsigned i = 0; i < ARRAY_COUNT(subcommands); i++) {
		const unsigned matched = words_match(&subcommands[i], *words);
		if (matched > longest) {
			longest = matched;
			found = &subcommands[i];
		}
	}
	*words += longest;
	return found;
}

/* Words that name nothing: say what they could have been. */
static int subcommand_unknown(char **words)
{
	const size_t length = strlen(words[0]);
	const char *near = NULL;
	unsigned group = 0;

	for (unsigned i = 0; i < ARRAY_COUNT(subcommands); i++) {
		const char *name = subcommands[i].name;
		if (strncmp(name, words[0], length) == 0 && name[length] == ' ') {
			fprintf(stderr, "%s tungate %s %s\n", group++ ? "      " : "usage:", name,
				subcommands[i].operands);
			continue;
		}
		near = nearest(words[0], near, name);
	}
	if (!group)
		complain("unknown command %s%s%s%s; see `tungate --help`", words[0],
			near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
	return STATUS_USAGE;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {.socket = getenv("TUNGATE_SOCKET")};
	char **words = argv + 1;
	(void)argc;

	if (!arguments.socket || !*arguments.socket)
		arguments.socket = CONTROL_DEFAULT_PATH;
	if (!arguments_parse_common(&arguments, &words))
		return STATUS_USAGE;
	if (arguments.help)
		return help_all(stdout);
	if (!*words)
		return help_all(stderr);
	arguments.command = subcommand_find(&words);
	if (!arguments.command)
		return subcommand_unknown(words);
	if (!arguments_parse(&arguments, words))
		return STATUS_USAGE;
	if (arguments.help)
		return help_command(arguments.command);
	const struct subcommand *command = arguments.command;
	if (command->handle)
		return command->handle(&arguments);
	return ask(&arguments, command->method, command->params(&arguments), -1);
}
