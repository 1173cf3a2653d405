/* SPDX-License-Identifier: GPL-2.0 */
/*
 * server - what the parts of mgmt share: clients and requests. Internal to mgmt.
 *
 * Ownership: mgmt owns its clients, a client its requests and its candidate. A client that is being closed has
 * neither requests nor candidate; its memory goes when libuv closed its pipe.
 */
#ifndef MGMT_SERVER_H
#define MGMT_SERVER_H

#include "lib/list.h"
#include "mgmt/jsonrpc.h"
#include "mgmt/mgmt.h"

struct mgmt_rpc;

struct mgmt {
	uv_loop_t *loop;
	struct conf *conf;
	uv_pipe_t listener;
	uv_idle_t runner;		/* active while a request is runnable */
	char *path;			/* bound */
	struct list clients;		/* struct client */
	struct mgmt_rpc *rpcs;
	unsigned int handles;		/* not yet closed */
	bool closing;
};

struct client {
	struct list node;		/* in mgmt.clients */
	struct mgmt *mgmt;
	uv_pipe_t pipe;
	char owner[64];			/* user and process, for messages and history */
	char user[48];
	char *in;			/* the start of a line */
	size_t in_len, in_size;
	struct list requests;		/* struct mgmt_request */
	struct conf_candidate *cand;
	bool eof;			/* it will send no more */
	bool paused;			/* we do not read: it does not either */
	bool closing;		/* nothing more is read or sent */
	bool shutting;		/* what was sent is still being written */
};

/* ---- server.c ---- */
/* Sends a line, which is taken (NULL: no memory, the client is closed). */
void client_send(struct client *c, char *line);
bool client_full(const struct client *c);
void client_close(struct client *c);
/* A request ended: a client that sends no more may be done. */
void client_idle(struct client *c);

/* ---- request.c ---- */
void request_start(struct client *c, struct rpc_call *call);	/* an rpc of l3vpn-exec.yang */
bool request_cancel(struct client *c, const json_t *id);
void request_end_all(struct client *c);			/* no answers: the client goes */
void request_end_topics(struct client *c);
bool request_run_all(struct mgmt *mgmt);		/* one slice each; true: more is runnable now */
void request_free_rpcs(struct mgmt *mgmt);
void request_wake(struct mgmt *mgmt);			/* something became runnable */

/* ---- config.c ---- */
/* A method of ours; false: there is none of that name. On success *result is filled, else *fault (code not 0). */
bool config_call(struct client *c, const char *method, json_t *params, json_t **result, struct rpc_fault *fault);
void config_fault(struct rpc_fault *fault, const struct conf_error *err);

/* ---- exec.c ---- */
extern const char mgmt_yang_exec[];

#endif
