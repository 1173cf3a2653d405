// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf mgmt */
/*
 * Lines of the management protocol without a server: whatever a fault's texts hold, its answer is a line of JSON
 * (RFC 8259 section 8.1: UTF-8, RFC 3629).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/mem.h"
#include "mgmt/jsonrpc.h"
#include "mgmt/mgmt.h"

#define FFFD "\xef\xbf\xbd"

/* The answer as a document; the caller's reference. */
static json_t *answer(const json_t *id, const struct rpc_fault *fault)
{
	char *line = rpc_fault_line(id, fault);
	json_t *doc;

	assert_non_null(line);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	doc = json_loads(line, 0, NULL);
	assert_non_null(doc);
	free(line);
	return doc;
}

static const char *text_of(const json_t *doc, const char *name)
{
	return json_string_value(json_object_get(json_object_get(json_object_get(doc, "error"), "data"), name));
}

/* The JSON reader ends its complaint after the octet that it did not expect, which may start a character. */
static void half_a_character_quoted(void **state)
{
	static const char line[] = "{\"_sonrpc\":\"\",\"id\\\xd9\x92mw\":4}}";
	struct rpc_fault fault = { 0 };
	struct rpc_call call;
	json_t *doc;

	assert_false(rpc_decode(line, sizeof(line) - 1, &call, &fault));
	assert_int_equal(fault.code, MGMT_PARSE);
	doc = answer(call.id, &fault);
	assert_non_null(strstr(text_of(doc, "reason"), "not JSON: invalid escape"));
	assert_string_equal(text_of(doc, "reason"),
			    json_string_value(json_object_get(json_object_get(doc, "error"), "message")));
	json_decref(doc);
	rpc_call_free(&call);
}

static void octets(void **state)
{
	static const struct {
		const char *said, *answered;
	} texts[] = {
		{ "plain", "plain" },
		{ "\x01\x7f\"\\", "\x01\x7f\"\\" },
		{ "\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf" },
		{ "\xe0\xa0\x80\xed\x9f\xbf", "\xe0\xa0\x80\xed\x9f\xbf" },
		{ "\xee\x80\x80\xef\xbf\xbf", "\xee\x80\x80\xef\xbf\xbf" },
		{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
		{ "a\xd9", "a" FFFD },				/* cut short */
		{ "\xe2\x82", FFFD FFFD },
		{ "\xf0\x9f\x98", FFFD FFFD FFFD },
		{ "\xd9'", FFFD "'" },
		{ "\x80z", FFFD "z" },				/* no start */
		{ "\xc1\xbf", FFFD FFFD },			/* longer than need be */
		{ "\xe0\x9f\xbf", FFFD FFFD FFFD },
		{ "\xf0\x8f\xbf\xbf", FFFD FFFD FFFD FFFD },
		{ "\xed\xa0\x80", FFFD FFFD FFFD },		/* a surrogate */
		{ "\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD },	/* beyond U+10FFFF */
		{ "\xf5\xff", FFFD FFFD },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct rpc_fault fault;
		json_t *doc;

		rpc_fault(&fault, MGMT_PARAMS, "%s", texts[i].said);
		strcpy(fault.path, texts[i].said);
		doc = answer(NULL, &fault);
		assert_string_equal(text_of(doc, "reason"), texts[i].answered);
		assert_string_equal(text_of(doc, "path"), texts[i].answered);
		json_decref(doc);
	}
}

/* A reason is cut at its size, wherever in a character that is; none of it is lost when every octet is replaced. */
static void cut_at_its_size(void **state)
{
	char name[601], *p;
	struct rpc_fault fault;
	json_t *doc;

	for (size_t shift = 0; shift < 4; shift++) {
		memset(name, 'a', shift);
		for (p = name + shift; p + 4 < name + sizeof(name); p += 4)
			memcpy(p, "\xf0\x9f\x98\x80", 4);
		*p = 0;
		rpc_fault(&fault, MGMT_NO_METHOD, "%s", name);
		assert_int_equal(strlen(fault.reason), sizeof(fault.reason) - 1);
		doc = answer(NULL, &fault);
		p = name + shift + (sizeof(fault.reason) - 1 - shift) / 4 * 4;
		assert_memory_equal(text_of(doc, "reason"), name, p - name);
		json_decref(doc);
	}
	memset(name, 0xff, sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	rpc_fault(&fault, MGMT_NO_METHOD, "%s", name);
	doc = answer(NULL, &fault);
	assert_int_equal(strlen(text_of(doc, "reason")), 3 * (sizeof(fault.reason) - 1));
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_a_character_quoted),
		cmocka_unit_test(octets),
		cmocka_unit_test(cut_at_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
