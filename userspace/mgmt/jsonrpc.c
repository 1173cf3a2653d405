// SPDX-License-Identifier: GPL-2.0
/* jsonrpc - JSON-RPC 2.0 lines: see jsonrpc.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/jsonrpc.h"
#include "mgmt/mgmt.h"

bool rpc_fault(struct rpc_fault *fault, int code, const char *fmt, ...)
{
	va_list ap;

	*fault = (struct rpc_fault){ .code = code };
	va_start(ap, fmt);
	vsnprintf(fault->reason, sizeof(fault->reason), fmt, ap);
	va_end(ap);
	return false;
}

bool rpc_decode(const char *line, size_t len, struct rpc_call *call, struct rpc_fault *fault)
{
	const char *version;
	json_error_t err;
	json_t *id;

	*call = (struct rpc_call){ 0 };
	call->whole = json_loadb(line, len, JSON_REJECT_DUPLICATES, &err);
	if (!call->whole)
		return rpc_fault(fault, MGMT_PARSE, "not JSON: %s at byte %d", err.text, err.position);
	if (!json_is_object(call->whole))
		return rpc_fault(fault, MGMT_INVALID, "a request is a JSON object");
	id = json_object_get(call->whole, "id");
	if (id && !json_is_string(id) && !json_is_integer(id))
		return rpc_fault(fault, MGMT_INVALID, "id is a string or an integer");
	call->id = id;
	version = json_string_value(json_object_get(call->whole, "jsonrpc"));
	if (!version || strcmp(version, "2.0"))
		return rpc_fault(fault, MGMT_INVALID, "\"jsonrpc\":\"2.0\" is missing");
	call->method = json_string_value(json_object_get(call->whole, "method"));
	if (!call->method)
		return rpc_fault(fault, MGMT_INVALID, "method is missing");
	call->params = json_object_get(call->whole, "params");
	if (call->params && !json_is_object(call->params))
		return rpc_fault(fault, MGMT_PARAMS, "params is an object");
	return true;
}

void rpc_call_free(struct rpc_call *call)
{
	json_decref(call->whole);
	*call = (struct rpc_call){ 0 };
}

/* The document and "\n"; takes the reference. */
static char *to_line(json_t *doc)
{
	char *s = doc ? json_dumps(doc, JSON_COMPACT) : NULL, *longer = NULL;
	size_t len;

	json_decref(doc);
	if (s) {
		len = strlen(s);
		longer = realloc(s, len + 2);
		if (longer)
			memcpy(longer + len, "\n", 2);
		else
			free(s);
	}
	return longer;
}

static json_t *id_or_null(const json_t *id)
{
	return id ? json_incref((json_t *)id) : json_null();
}

char *rpc_result_line(const json_t *id, json_t *result)
{
	return to_line(json_pack("{s:s,s:o,s:o}", "jsonrpc", "2.0", "id", id_or_null(id), "result",
				 result ? result : json_object()));
}

/* Octets of the well-formed character of UTF-8 (RFC 3629 section 4) that s starts with; 0: none. Ends at a NUL. */
static size_t char_len(const unsigned char *s)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	/* longer than need be, a surrogate, beyond U+10FFFF */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return len;
}

/*
 * A fault's text may quote what a client sent, up to the middle of a character, and is itself cut at its size: an
 * octet that belongs to no character becomes U+FFFD, for the answer has to be JSON. NULL: no memory.
 */
static json_t *fault_text(const char *text)
{
	char out[3 * sizeof(((struct rpc_fault *)0)->reason)];
	size_t n = 0, len;

	for (; *text && n + 4 <= sizeof(out); text += len ? len : 1) {
		len = char_len((const unsigned char *)text);
		memcpy(out + n, len ? text : "\xef\xbf\xbd", len ? len : 3);
		n += len ? len : 3;
	}
	return json_stringn(out, n);
}

char *rpc_fault_line(const json_t *id, const struct rpc_fault *fault)
{
	json_t *data = json_object();

	if (fault->line)
		json_object_set_new(data, "line", json_integer(fault->line));
	if (fault->path[0])
		json_object_set_new(data, "path", fault_text(fault->path));
	json_object_set_new(data, "reason", fault_text(fault->reason));
	return to_line(json_pack("{s:s,s:o,s:{s:i,s:O,s:o}}", "jsonrpc", "2.0", "id", id_or_null(id), "error", "code",
				 fault->code, "message", json_object_get(data, "reason"), "data", data));
}
