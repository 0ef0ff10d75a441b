/* SPDX-License-Identifier: BSD-2-Clause */
/* reload: which changes of a file a running gateway takes up, and which it refuses by name. */
#include <criterion/criterion.h>
#include <string.h>

#include "tungate/config.h"

#define RUNNING                                                                                    \
	"[network a]\nsubnet = 10.1.0.0/24, fd01::/64\n"                                           \
	"[link web]\nnetwork = a\nnetns = web\naddress = 10.1.0.2\n"

static const struct {
	const char *wanted;
	const char *reason; /* NULL: may be taken up */
} rows[] = {
	{RUNNING, NULL},
	{RUNNING "[gateway]\nlog-level = debug\nbusy-poll = 5\n[timeouts]\nudp = 5m\n", NULL},
	{RUNNING "[filter forward]\npolicy = drop\n[nat]\n[forwards]\ntcp 80 = web\n", NULL},
	{RUNNING "[network b]\nsubnet = 10.2.0.0/24\n", NULL},
	{RUNNING "[link other]\nnetns = other\n", NULL},
	{"[network a]\nsubnet = 10.1.0.0/24, fd01::/64\ndns = no\n", NULL}, /* its link goes */
	{RUNNING "[gateway]\ncontrol = /x\n", "`control` of [gateway]"},
	{RUNNING "[gateway]\nports = 50000-51000\n", "`ports` of [gateway]"},
	{RUNNING "[gateway]\nuplink = eth0\n", "`uplink` of [gateway]"},
	{RUNNING "[limits]\nflows = 2000\n", "`flows` of [limits]"},
	{"", "network `a`"},
	{"[network b]\nsubnet = 10.2.0.0/24\n" RUNNING, "network `a`"},
	{"[network a]\nsubnet = 10.2.0.0/24, fd01::/64\n", "`subnet` of [network a]"},
	{"[network a]\nsubnet = 10.1.0.0/24, fd01::/96\n", "`subnet` of [network a]"},
	{"[network a]\nsubnet = 10.1.0.0/24\n", "`subnet` of [network a]"},
	{"[network a]\nsubnet = 10.1.0.0/24, fd01::/64\ngateway = fd01::2\n",
		"`gateway` of [network a]"},
	{"[network a]\nsubnet = 10.1.0.0/24, fd01::/64\nmtu = 1300\n", "`mtu` of [network a]"},
	{"[network a]\nsubnet = 10.1.0.0/24, fd01::/64\n"
	 "[link web]\nnetns = web\naddress = 10.1.0.3\n",
		"`address` of [link web]"},
	{"[network a]\nsubnet = 10.1.0.0/24, fd01::/64\n"
	 "[link web]\nnetns = bew\naddress = 10.1.0.2\n",
		"`netns` of [link web]"},
};

Test(reload, changes_are_taken_up_or_refused_by_name)
{
	struct config_errors errors;
	struct config *running = config_parse("running", RUNNING, &errors);

	cr_assert_not_null(running);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *wanted = config_parse("wanted", rows[i].wanted, &errors);
		char error[256] = "";

		cr_assert_not_null(wanted, "row %u: %s", i, errors.text[0]);
		cr_expect_eq(config_reloadable(running, wanted, error, sizeof(error)),
			rows[i].reason == NULL, "row %u: %s", i, error);
		if (rows[i].reason != NULL)
			cr_expect_not_null(strstr(error, rows[i].reason), "row %u: %s", i, error);
		config_free(wanted);
	}
	config_free(running);
}

Test(reload, a_network_that_goes_is_refused)
{
	struct config_errors errors;
	struct config *running = config_parse("running",
		"[network a]\nsubnet = 10.1.0.0/24\n[network b]\nsubnet = 10.2.0.0/24\n", &errors);
	struct config *wanted =
		config_parse("wanted", "[network a]\nsubnet = 10.1.0.0/24\n", &errors);
	char error[256] = "";

	cr_assert(running != NULL && wanted != NULL);
	wanted->networks[0].line = 7; /* where a section stands does not matter */
	cr_expect_not(config_reloadable(running, wanted, error, sizeof(error)));
	cr_expect_not_null(strstr(error, "network `b` cannot go"), "%s", error);
	cr_expect(config_reloadable(wanted, running, error, sizeof(error)), "%s", error);
	config_free(running);
	config_free(wanted);
}
