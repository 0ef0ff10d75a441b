/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control: what a client of the control socket must know: where it is, how lines are framed, the
 * names of the errors.  docs/control.md describes each method's parameters and result.
 *
 * A request is one line of JSON, {"id": N, "method": "...", "params": {...}}; the answer is one
 * line, {"id": N, "result": ...} or {"id": N, "error": {"code": "...", "message": "..."}}.  A
 * stream (connections.follow, attach with `hold`) sends {"id": N, "event": ...} lines until the
 * client closes.
 */
#ifndef TUNGATE_CONTROL_H
#define TUNGATE_CONTROL_H

#define CONTROL_DEFAULT_PATH      "/run/tungate/control.sock"
#define CONTROL_REQUEST_BYTES_MAX (64 * 1024)
#define CONTROL_CLIENTS_MAX       512

/* Error codes, and the exit status that `tungate` gives for each. */
#define CONTROL_ERRORS(X)                                                                          \
	X(BAD_REQUEST, "bad-request", 2) /* malformed, unknown method or parameter */              \
	X(INVALID, "invalid", 2)         /* a value that is not allowed; the message says which */ \
	X(DENIED, "denied", 4)           /* not yours to do */                                     \
	X(NOT_FOUND, "not-found", 5)                                                               \
	X(EXISTS, "exists", 6) /* already there, or the port is in use */                          \
	X(FAILED, "failed", 1) /* the system refused; the message says why */

#endif
