// SPDX-License-Identifier: GPL-2.0
/* Rows as tables, lines and JSON; nothing is held back but the first rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l3vpnsh/table.h"
#include "l3vpnsh/tests/fixture.h"

static struct schema *schema;
static char *text;
static size_t lines;

static void collect(void *arg, const char *line)
{
	size_t used = text ? strlen(text) : 0;

	text = realloc(text, used + strlen(line) + 2);
	sprintf(text + used, "%s\n", line);
	lines++;
}

static void begin(void)
{
	free(text);
	text = calloc(1, 1);
	lines = 0;
}

static void add(struct table *t, const char *json)
{
	json_t *row = json_loads(json, 0, NULL);

	assert_non_null(row);
	table_row(t, row);
	json_decref(row);
}

static struct table *start(const char *rpc, bool json)
{
	begin();
	return table_new(schema_command(schema, rpc), json, collect, NULL);
}

static void columns(void **state)
{
	struct table *t = start("probe-neighbors", false);
	json_t *none = json_object();

	add(t, "{\"peer\":\"10.0.0.1\",\"state\":\"established\",\"prefixes\":12}");
	add(t, "{\"prefixes\":1234567890,\"peer\":\"2001:db8::1\"}");
	table_end(t, none);
	assert_string_equal(text, "PEER         STATE          PREFIXES\n"
				  "10.0.0.1     established          12\n"
				  "2001:db8::1  -            1234567890\n");
	json_decref(none);
}

/* A column that no row has a value for is left out, where all rows are known. */
static void empty_columns(void **state)
{
	struct table *t = start("probe-neighbors", false);
	json_t *none = json_object();

	add(t, "{\"peer\":\"10.0.0.1\",\"prefixes\":12}");
	table_end(t, none);
	assert_string_equal(text, "PEER      PREFIXES\n10.0.0.1        12\n");
	json_decref(none);
}

static void no_rows(void **state)
{
	json_t *none = json_object();

	table_end(start("probe-neighbors", false), none);
	assert_string_equal(text, "");
	table_end(start("probe-neighbors", true), none);
	assert_string_equal(text, "[]\n");
	table_end(start("probe-neighbors", true), NULL);
	assert_string_equal(text, "");
	json_decref(none);
}

static void facts(void **state)
{
	json_t *result = json_pack("{s:b,s:i}", "works", 1, "rows", 1), *doc;
	struct table *t = start("probe-explain", false);

	add(t, "{\"step\":\"best\"}");
	table_end(t, result);
	assert_string_equal(text, "STEP\nbest\nworks  yes\n");
	t = start("probe-explain", true);
	add(t, "{\"step\":\"best\"}");
	add(t, "{\"step\":\"label\"}");
	table_end(t, result);
	doc = json_loads(text, 0, NULL);
	assert_non_null(doc);
	assert_int_equal(json_array_size(json_object_get(doc, "rows")), 2);
	assert_true(json_is_true(json_object_get(doc, "works")));
	json_decref(doc);
	json_decref(result);
}

static void json_rows(void **state)
{
	json_t *none = json_object(), *doc;
	struct table *t = start("probe-neighbors", true);

	add(t, "{\"peer\":\"a \\\"b\\\"\"}");
	add(t, "{\"peer\":\"c\",\"prefixes\":3}");
	table_end(t, none);
	doc = json_loads(text, 0, NULL);
	assert_non_null(doc);
	assert_int_equal(json_array_size(doc), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(doc, 0), "peer")), "a \"b\"");
	json_decref(doc);
	json_decref(none);
}

static void streams(void **state)
{
	struct table *t = start("probe-neighbors", false);
	json_t *none = json_object();

	for (int i = 0; i < TABLE_SAMPLE - 1; i++)
		add(t, "{\"peer\":\"10.0.0.1\"}");
	assert_int_equal(lines, 0);
	add(t, "{\"peer\":\"10.0.0.1\"}");
	assert_int_equal(lines, TABLE_SAMPLE + 1);
	for (int i = 0; i < 1000; i++) {
		add(t, "{\"peer\":\"10.0.0.1\"}");
		assert_int_equal(lines, TABLE_SAMPLE + 2 + i);
	}
	table_end(t, none);
	json_decref(none);
}

static void text_rows(void **state)
{
	struct table *t = start("show-log", false);
	json_t *none = json_object();

	add(t, "{\"line\":\"  as  it is\"}");
	table_end(t, none);
	assert_string_equal(text, "  as  it is\n");
	json_decref(none);
}

static int setup(void **state)
{
	schema = fixture_schema();
	return 0;
}

static int teardown(void **state)
{
	schema_free(schema);
	free(text);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns),
		cmocka_unit_test(empty_columns),
		cmocka_unit_test(no_rows),
		cmocka_unit_test(facts),
		cmocka_unit_test(json_rows),
		cmocka_unit_test(streams),
		cmocka_unit_test(text_rows),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
