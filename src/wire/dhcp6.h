/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TUNGATE_WIRE_DHCP6_H
#define TUNGATE_WIRE_DHCP6_H

#define DHCP6_SERVER_PORT 547

#endif
