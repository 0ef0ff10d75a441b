/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rebind: whether an answer from outside leads to an address inside.
 *
 * A page on the internet whose name changes to an address at home makes the reader's browser talk
 * to what is there (DNS rebinding).  So names of the internet have no private addresses, whatever
 * their servers say, unless the configuration says so.
 */
#ifndef TUNGATE_DNS_REBIND_H
#define TUNGATE_DNS_REBIND_H

#include "dns/message.h"
#include "tungate/config.h"

/* Private, loopback, link-local, of a gateway's subnet, or an IPv6 address that stands for such. */
bool dns_address_is_private(const struct config *config, uint8_t family, const union addr *address);
/* The range of private addresses that a prefix is in, for the reverse zones of RFC 6303; or NULL.
 */
const struct prefix *dns_private_range(const struct prefix *prefix);
/* Does the message give such an address, also as a hint of an HTTPS or SVCB record? */
bool dns_message_is_private(const struct config *config, const struct dns_message *message);

#endif
