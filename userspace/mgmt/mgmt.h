/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mgmt - how programs talk to the daemon: JSON-RPC 2.0 on a Unix stream socket, one JSON document a line, UTF-8.
 *
 *   server.c   socket, clients, lines, back pressure            request.c   requests, rows, topics, RPC input
 *   config.c   config.* methods, a candidate a client           exec.c      text of l3vpn-exec.yang
 *   client.c   the client side (client.h), for l3vpnsh          show_X.c    handlers of room X
 *
 * ---- Operational commands ----
 * Each is an `rpc` of mgmt/yang/l3vpn-exec.yang; method = name of the rpc, params = its input (an object
 * without module
 * prefixes, validated against the schema before the handler runs; leafrefs into the running configuration hold).
 *   -> {"jsonrpc":"2.0","id":7,"method":"show-vrf","params":{"name":"RED"}}
 *   <- {"jsonrpc":"2.0","method":"rows","params":{"id":7,"rows":[{...},{...}]}}       any number of these, then
 *   <- {"jsonrpc":"2.0","id":7,"result":{"rows":2}}                                   scalar outputs beside the count
 * Columns are the leaves of `output { list row { ... } }`, in that order; a column without value is absent.
 * A client may have many requests under way; rows carry the id of their request.
 *   -> {"jsonrpc":"2.0","id":8,"method":"cancel","params":{"id":7}}      ends a stream; 7 gets its response
 *       (result, "cancelled":true)
 * Topics (monitor ...) are rpcs that end only so; a client too slow loses rows, and the next row tells:
 * {"lost":N,...}.
 *
 * ---- Configuration ---- (text is the text form; see conf.h for the meaning)
 *   config.open {exclusive?:bool}            a candidate for this client; one each; closed with the connection
 *   config.close {}
 *   config.edit {text, context?}             -> {context}: the lines that open the modes after the text, joined
 *       by "\n"; give it back
 *   config.load {text | json, merge?:bool}   whole configuration; merge: into what is there
 *   config.set {path, value?}  config.delete {path}
 *   config.validate {}  config.reset {}
 *   config.commit {confirmed?:seconds, comment?, force?:bool} -> {id, changed:bool}
 *   config.confirm {}                        needs no candidate
 *   config.rollback {to:N}                   into the candidate; commit follows
 *   config.get {source?:"running"|"candidate", back?:N, format?:"text"|"json", path?, secrets?:bool}
 *   -> {text} or {json}
 *   config.changes {secrets?} -> {text}      candidate against running, as lines to type
 *   config.differences {back?:N, secrets?} -> {text}   running -> candidate, or (back) before the newest N
 *       commits -> running
 *   config.history {} -> {commits:[{id,time,owner,comment}]}
 *   config.status {} -> {open,changed,confirm_seconds,id}
 *   schema.get {} -> {modules:[{name,text}]}
 *   session.get {} -> {version,pid,user,hostname}
 *
 * ---- Errors ---- {"code","message","data":{"line","path","reason"}}: code of JSON-RPC 2.0, or one of enum
 * mgmt_code.
 *
 * Everything here runs on the main thread.
 */
#ifndef MGMT_MGMT_H
#define MGMT_MGMT_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "conf/conf.h"

struct mgmt;
struct mgmt_request;

enum mgmt_code {
	MGMT_PARSE = -32700,		/* not JSON */
	MGMT_INVALID = -32600,		/* not a request */
	MGMT_NO_METHOD = -32601,
	MGMT_PARAMS = -32602,		/* the schema refuses the params */
	MGMT_INTERNAL = -32603,
	MGMT_REFUSED = 1,		/* configuration refused: data has line, path, reason */
	MGMT_NOT_FOUND = 2,		/* no such VRF, peer, ... */
	MGMT_STATE = 3,			/* not now: no candidate open, locked, nothing to confirm, ... */
	MGMT_CHANGED = 4,		/* others committed meanwhile; force commits anyway */
	MGMT_FAILED = 5,		/* the system refused: the reason tells */
};

enum mgmt_next {
	MGMT_DONE,	/* the response goes out: error if one was set, else the result */
	MGMT_AGAIN,	/* call me again when the client has room (and the loop had its turn) */
	MGMT_WAIT,	/* nothing to do until mgmt_resume() */
};

/*
 * Called first when the request comes; its input is valid. Again after MGMT_AGAIN and mgmt_resume(), with the
 * cursor it
 * kept by mgmt_state(). It may be abandoned between calls (client gone, cancelled): then only the state's free
 * function runs.
 */
typedef enum mgmt_next (*mgmt_handler)(struct mgmt_request *req, void *arg);

/*
 * Adds l3vpn-exec.yang to conf's schema: before conf_start(). NULL: err says. It listens only from mgmt_listen() on.
 */
struct mgmt *mgmt_new(uv_loop_t *loop, struct conf *conf, struct conf_error *err);
/* Mode 0660. false: another daemon answers there, or the path cannot be bound. A dead socket file is replaced. */
bool mgmt_listen(struct mgmt *mgmt, const char *path, struct conf_error *err);
/*
 * Closes clients and socket, removes its file. Its handles close on the loop: run it until done, then the
 * memory is gone.
 */
void mgmt_free(struct mgmt *mgmt);

/* rpc: a name in l3vpn-exec.yang; one that is not there is a bug: aborts. */
void mgmt_register(struct mgmt *mgmt, const char *rpc, mgmt_handler handler, void *arg);

/* ---- for handlers ---- */

/* The rpc's node; its input leaves are its children: conf_str(mgmt_input(req), "vrf", NULL). */
const struct lyd_node *mgmt_input(const struct mgmt_request *req);

/*
 * One row: an object whose keys are columns; the reference is taken. The row is always accepted; false says: that was
 * enough for now (the client's pipe is full, or the handler's time slice is over): keep the cursor and return
 * MGMT_AGAIN.
 */
bool mgmt_row(struct mgmt_request *req, json_t *row);
/* A scalar of the output; the reference is taken. */
void mgmt_result(struct mgmt_request *req, const char *name, json_t *value);
/* Refuses: returns MGMT_DONE. Rows already sent stay sent. */
enum mgmt_next mgmt_error(struct mgmt_request *req, enum mgmt_code code, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * The handler's cursor: zeroed memory of that size made at the first call, freed with the request; destroy may
 * be NULL.
 */
void *mgmt_state(struct mgmt_request *req, size_t size, void (*destroy)(void *state));
/* After MGMT_WAIT: the handler is called again from the loop. Never after the state was destroyed. */
void mgmt_resume(struct mgmt_request *req);
/* The request waits for what may never happen: it is over when its client has nothing more to ask (end of file). */
void mgmt_endless(struct mgmt_request *req);
struct conf *mgmt_conf(const struct mgmt_request *req);
/* The candidate of the request's client, NULL when it has none. */
struct conf_candidate *mgmt_candidate(const struct mgmt_request *req);

/* ---- topics: rpcs that stream what happens until cancelled ---- */

/*
 * The rpc is answered by mgmt_publish(). on_listeners (may be NULL) tells when the first comes (true) and the
 * last goes (false).
 */
void mgmt_topic(struct mgmt *mgmt, const char *rpc, void (*on_listeners)(bool any, void *arg), void *arg);
bool mgmt_wanted(const struct mgmt *mgmt, const char *rpc);
/* To every listener; the reference is taken. */
void mgmt_publish(struct mgmt *mgmt, const char *rpc, json_t *row);

/* Handlers of mgmt itself: show version, show log, monitor log, show configuration ... (show_conf.c, show_log.c). */
void show_conf_register(struct mgmt *mgmt, struct conf *conf);
void show_log_register(struct mgmt *mgmt);

#endif
