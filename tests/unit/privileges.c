/* SPDX-License-Identifier: BSD-2-Clause */
/* privileges: what is missing is said, what is not needed is given up. */
#include "host/privileges.h"

#include <cap-ng.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../support/world.h"

WORLD_PROGRAM

static bool has(unsigned capability)
{
	cr_assert_eq(capng_get_caps_process(), 0);
	return capng_have_capability(CAPNG_EFFECTIVE, capability);
}

Test(privileges, enough, .init = world_enter_with_tun)
{
	cr_expect_eq(privileges_check(world_log()), 0);
}

Test(privileges, missing_device, .init = world_enter)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("none", "/dev", "tmpfs", 0, NULL) < 0)
		cr_skip_test("nothing may be mounted here");
	cr_expect_eq(privileges_check(world_log()), -ENOENT);
	cr_expect(world_logged("/dev/net/tun cannot be opened"));
	cr_expect(world_logged("modprobe tun"));
}

Test(privileges, missing_capabilities, .init = world_enter_with_tun)
{
	capng_clear(CAPNG_SELECT_CAPS);
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_DAC_OVERRIDE);
	cr_assert_eq(capng_apply(CAPNG_SELECT_CAPS), 0);
	cr_expect_eq(privileges_check(world_log()), -EPERM);
	cr_expect(world_logged("the capability net_admin is missing"));
	cr_expect(world_logged("the capability net_raw is missing"));
}

Test(privileges, given_up, .init = world_enter)
{
	cr_assert_eq(privileges_drop(world_log()), 0);
	cr_expect(has(CAP_NET_ADMIN));
	cr_expect(has(CAP_NET_RAW));
	cr_expect(has(CAP_NET_BIND_SERVICE));
	cr_expect(has(CAP_SYS_ADMIN));
	cr_expect(has(CAP_SYS_PTRACE));
	cr_expect(has(CAP_CHOWN));
	cr_expect_not(has(CAP_DAC_OVERRIDE));
	cr_expect_not(has(CAP_SYS_MODULE));
	cr_expect_not(has(CAP_SETUID));
	cr_expect_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	cr_expect_eq(privileges_drop(world_log()), 0, "a second time changes nothing");
	cr_expect(has(CAP_NET_ADMIN));
}

Test(privileges, only_what_is_held_is_kept, .init = world_enter)
{
	capng_clear(CAPNG_SELECT_CAPS);
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
	cr_assert_eq(capng_apply(CAPNG_SELECT_CAPS), 0);
	cr_assert_eq(privileges_drop(world_log()), 0);
	cr_expect(has(CAP_NET_ADMIN));
	cr_expect_not(has(CAP_NET_RAW));
}
