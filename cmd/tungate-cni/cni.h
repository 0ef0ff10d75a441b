/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cni: what a container runtime asks of a CNI plugin, and what it is answered.
 *
 * The Container Network Interface, version 1.0.0 (and 0.3.x, 0.4.0, 1.1.0): the command and the
 * container are in the environment, the network's configuration is JSON on standard input, the
 * result or the error is JSON on standard output.  Functions that return false have filled in the
 * error.
 */
#ifndef TUNGATE_CNI_H
#define TUNGATE_CNI_H

#include <jansson.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define LINK_NAME_SIZE  32 /* of a link of tungate's, with NUL */
#define STATIC_IPS_MAX  2  /* one of each family */
#define VERSION_DEFAULT "1.0.0"

/* "Error" in the specification; from 100 on they are the plugin's own. */
enum cni_code {
	CNI_VERSION_UNSUPPORTED = 1,
	CNI_FIELD_UNSUPPORTED = 2,
	CNI_CONTAINER_UNKNOWN = 3,
	CNI_ENVIRONMENT_INVALID = 4,
	CNI_IO_FAILURE = 5,
	CNI_UNDECODABLE = 6,
	CNI_CONFIG_INVALID = 7,
	CNI_TRY_AGAIN_LATER = 11,
	CNI_UNAVAILABLE = 50, /* of STATUS: no ADD can be served */
	CNI_FAILED = 100,     /* the gateway tried */
	CNI_DENIED = 101,
	CNI_NOT_FOUND = 102, /* no such network, link or published port */
	CNI_EXISTS = 103,    /* the port or the address is taken */
	CNI_DIFFERENT = 104, /* of CHECK: it is not as ADD left it */
};

struct cni_error {
	enum cni_code code;
	char message[512];
	char details[256];
};
/* Fill in the error; returns false. */
bool cni_fail(struct cni_error *error, enum cni_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Add what the user can do; returns false. */
bool cni_advise(struct cni_error *error, const char *details);

enum cni_command { CNI_ADD, CNI_DEL, CNI_CHECK, CNI_GC, CNI_STATUS, CNI_VERSION };

/* A container's connection to a network.  JSON is borrowed from `config`. */
struct cni_call {
	enum cni_command command;
	json_t *config;
	const char *version; /* of the configuration, and of the result */
	const char *container, *netns, *ifname;
	char link[LINK_NAME_SIZE];   /* what the gateway calls it */
	const char *control;         /* path of tungated's socket */
	const char *network;         /* of tungate's; NULL: its first one */
	uint16_t mtu;                /* 0: the network's */
	char ip[STATIC_IPS_MAX][64]; /* asked for; "": none */
	const json_t *ports;         /* runtimeConfig.portMappings, or NULL */
};

/* The versions that we speak, in their order, ended by NULL. */
extern const char *const cni_versions[];
/* Whether a version that we speak is `first` or a later one. */
bool cni_version_from(const char *version, const char *first);

/* ---- input.c ---- */

/* Read environment and standard input; to be released either way. */
bool cni_call_read(struct cni_call *call, struct cni_error *error);
void cni_call_release(struct cni_call *call);

/* ---- gateway.c: what is asked of tungated ---- */

struct gateway;
/* NULL with an error; *absent tells that nobody listens there. */
struct gateway *gateway_open(const struct cni_call *call, bool *absent, struct cni_error *error);
void gateway_close(struct gateway *gateway);
/* The link with its addresses and published ports, all or nothing; *attached is the daemon's
 * answer, a new reference. */
bool gateway_attach(struct gateway *gateway, json_t **attached, struct cni_error *error);
/* Everything that was attached or published under the call's link; what is not there is fine. */
bool gateway_release(struct gateway *gateway, struct cni_error *error);
/* A copy of the network, the link or the published port as the daemon lists it, or NULL. */
json_t *gateway_network(struct gateway *gateway, const char *name, struct cni_error *error);
json_t *gateway_link(struct gateway *gateway, struct cni_error *error);
/* Whether all mappings of the call are published for its link. */
bool gateway_published(struct gateway *gateway, struct cni_error *error);
/* Ports that are published for links of this plugin's which are no more: no longer. */
bool gateway_sweep(struct gateway *gateway, struct cni_error *error);

/* ---- result.c ---- */

/* The result of ADD from the answers of the daemon; NULL: out of memory. */
json_t *cni_result(const struct cni_call *call, const json_t *attached, const json_t *network);
json_t *cni_error_json(const char *version, const struct cni_error *error);
json_t *cni_versions_json(const char *version);

/* ---- check.c ---- */

/* Whether the container's interface has the addresses that the previous result names. */
bool check_interface(const struct cni_call *call, struct cni_error *error);

#endif
