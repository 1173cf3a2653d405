// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf mgmt */
/* fuzz_jsonrpc - lines of the management protocol: decoded or refused, and every answer is one line of JSON. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/jsonrpc.h"
#include "mgmt/mgmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(char *line)
{
	json_t *doc;

	if (!line || strchr(line, '\n') != line + strlen(line) - 1)
		abort();
	doc = json_loads(line, 0, NULL);
	if (!doc)
		abort();
	json_decref(doc);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_fault fault = { 0 };
	struct rpc_call call;

	if (rpc_decode((const char *)data, size, &call, &fault)) {
		if (!call.method || (call.params && !json_is_object(call.params)))
			abort();
		check_line(rpc_result_line(call.id, json_incref(call.params)));
	} else {
		if (!fault.code || !fault.reason[0])
			abort();
		check_line(rpc_fault_line(call.id, &fault));
	}
	rpc_call_free(&call);
	return 0;
}
