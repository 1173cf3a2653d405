/* SPDX-License-Identifier: GPL-2.0 */
/*
 * jsonrpc - the lines of the management protocol (JSON-RPC 2.0): text to call, answer to text. No state, no I/O.
 */
#ifndef MGMT_JSONRPC_H
#define MGMT_JSONRPC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define RPC_LINE_MAX (64u << 20)	/* a longer line is refused */

struct rpc_call {
	json_t *whole;		/* owns the others */
	json_t *id;		/* NULL: a notification */
	const char *method;
	json_t *params;		/* an object, or NULL */
};

struct rpc_fault {
	int code;
	unsigned int line;
	char path[256];
	char reason[512];
};

/*
 * One line without its end. false: fault says why; call->id may be there to answer with. Either way rpc_call_free.
 */
bool rpc_decode(const char *line, size_t len, struct rpc_call *call, struct rpc_fault *fault);
void rpc_call_free(struct rpc_call *call);

bool rpc_fault(struct rpc_fault *fault, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Lines with their "\n", malloc'ed; NULL: no memory. id NULL is null. result is taken. A fault's texts may hold any
 * octets: those that are not UTF-8 are answered as U+FFFD.
 */
char *rpc_result_line(const json_t *id, json_t *result);
char *rpc_fault_line(const json_t *id, const struct rpc_fault *fault);

#endif
