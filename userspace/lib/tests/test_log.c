// SPDX-License-Identifier: GPL-2.0
/* rooms: lib */
/* The log's ring: order, overflow, levels, cleaning, and writers in several threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/log.h"
#include "lib/mem.h"

static void order_and_levels(void **unused)
{
	struct log_line line;
	uint64_t before;

	log_init("test", LOG_TARGET_NONE, LOG_LEVEL_INFO);
	before = log_last();
	log_info("a", "one %d", 1);
	log_debug("a", "hidden");
	log_err("b", "two\nlines\x01");
	assert_int_equal(log_last(), before + 2);
	assert_true(log_read(before + 1, &line));
	assert_string_equal(line.text, "one 1");
	assert_string_equal(line.subsystem, "a");
	assert_true(log_read(before + 2, &line));
	assert_string_equal(line.text, "two?lines?");
	assert_int_equal(line.level, LOG_LEVEL_ERR);
	assert_false(log_read(before + 3, &line));
}

static void overflow(void **unused)
{
	struct log_line line;
	uint64_t last;

	for (int i = 0; i < LOG_RING_LINES + 10; i++)
		log_info("fill", "%d", i);
	last = log_last();
	assert_true(log_read(1, &line));
	assert_int_equal(line.seq, last - LOG_RING_LINES + 1);
	assert_string_equal(line.text, "10");
	assert_true(log_read(last, &line));
}

static void long_text_is_cut(void **unused)
{
	struct log_line line;
	char text[2 * LOG_TEXT_MAX];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	log_info("very-long-subsystem-name", "%s", text);
	assert_true(log_read(log_last(), &line));
	assert_int_equal(strlen(line.text), LOG_TEXT_MAX - 1);
	assert_int_equal(strlen(line.subsystem), LOG_SUBSYSTEM_MAX - 1);
}

static void *writer(void *arg)
{
	for (int i = 0; i < 500; i++)
		log_info(arg, "%d", i);
	return NULL;
}

static void threads(void **unused)
{
	static char *const names[] = { "t0", "t1", "t2", "t3" };
	uint64_t before = log_last(), seq;
	pthread_t t[4];
	int next[4] = { 0 };

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, writer, names[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(log_last(), before + 2000);
	for (seq = before + 1; seq <= before + 2000; seq++) {
		struct log_line line;
		char want[16];
		int w;

		assert_true(log_read(seq, &line));
		assert_int_equal(line.seq, seq);
		w = line.subsystem[1] - '0';
		snprintf(want, sizeof(want), "%d", next[w]++);
		assert_string_equal(line.text, want);
	}
}

static void level_names_parse(void **unused)
{
	enum log_level level;

	assert_true(log_level_parse("warning", &level));
	assert_int_equal(level, LOG_LEVEL_WARNING);
	assert_false(log_level_parse("loud", &level));
	assert_string_equal(log_level_name(LOG_LEVEL_DEBUG), "debug");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_levels),
		cmocka_unit_test(overflow),
		cmocka_unit_test(long_text_is_cut),
		cmocka_unit_test(threads),
		cmocka_unit_test(level_names_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
