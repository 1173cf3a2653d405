// SPDX-License-Identifier: GPL-2.0
/* Words, quotes, stages of a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l3vpnsh/words.h"

static void expect_words(const char *line, int n, const char *const *texts, bool open)
{
	struct words w;

	words_split(line, strlen(line), &w);
	assert_int_equal(w.n, n);
	for (int i = 0; i < n; i++)
		assert_string_equal(w.v[i].text, texts[i]);
	assert_int_equal(w.open, open);
	words_free(&w);
}

static void splits(void **state)
{
	expect_words("", 0, NULL, false);
	expect_words("  \t ", 0, NULL, false);
	expect_words(" vrf  RED", 2, (const char *const[]){ "vrf", "RED" }, true);
	expect_words("vrf RED ", 2, (const char *const[]){ "vrf", "RED" }, false);
	expect_words("a \"b c\" d", 3, (const char *const[]){ "a", "b c", "d" }, true);
	expect_words("a \"b c\"", 2, (const char *const[]){ "a", "b c" }, false);
	expect_words("a ''", 2, (const char *const[]){ "a", "" }, false);
	expect_words("it's fine", 2, (const char *const[]){ "it's", "fine" }, true);
	expect_words("a\\.b \\\"q\\\" x\\ y", 3, (const char *const[]){ "a\\.b", "\"q\"", "x y" }, true);
}

static void notices_open_quote(void **state)
{
	struct words w;

	words_split("description \"half ", 18, &w);
	assert_true(w.unbalanced);
	assert_true(w.open);
	assert_int_equal(w.n, 2);
	assert_string_equal(w.v[1].text, "half ");
	words_free(&w);
}

static void stages(void **state)
{
	const char *line = "show log \"a|b\" |  include x\\|y | count ";
	size_t len;
	const char *s;

	assert_int_equal(stage_count(line), 3);
	s = stage_get(line, 0, &len);
	assert_int_equal(len, strlen("show log \"a|b\""));
	s = stage_get(line, 1, &len);
	assert_int_equal(len, strlen("include x\\|y"));
	assert_memory_equal(s, "include x\\|y", len);
	s = stage_get(line, 2, &len);
	assert_memory_equal(s, "count", 5);
	assert_int_equal(len, 5);
	assert_null(stage_get(line, 3, &len));
	assert_int_equal(stage_count(""), 1);
}

static void quotes_come_back(void **state)
{
	static const char *const texts[] = { "plain", "two words", "", "a\"b", "back\\slash", "it's", "a|b", "!", "#x",
					     "\\\"\\", "\ttab" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *quoted = word_quote(texts[i]);
		struct words w;

		words_split(quoted, strlen(quoted), &w);
		assert_int_equal(w.n, 1);
		assert_string_equal(w.v[0].text, texts[i]);
		assert_int_equal(stage_count(quoted), 1);
		words_free(&w);
		free(quoted);
	}
}

static void matches(void **state)
{
	assert_int_equal(word_match("sh", "show"), 1);
	assert_int_equal(word_match("SHOW", "show"), 2);
	assert_int_equal(word_match("shows", "show"), 0);
	assert_int_equal(word_match("", "show"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits),
		cmocka_unit_test(notices_open_quote),
		cmocka_unit_test(stages),
		cmocka_unit_test(quotes_come_back),
		cmocka_unit_test(matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
