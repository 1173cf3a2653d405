// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf */
/*
 * fuzz_text - the configuration's text form. What is accepted prints as text that is accepted, gives the same
 * tree, and prints the same again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/change.h"
#include "conf/conf.h"
#include "conf/schema.h"
#include "conf/text.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ly_ctx *ctx;
	struct lyd_node *tree = NULL, *again = NULL;
	struct conf_error err = { 0 };
	char *text, *context = NULL, *printed, *printed_again;

	if (!ctx)
		ctx = conf_schema_new(&err);
	if (!ctx)
		abort();
	text = xstrndup((const char *)data, size);
	if (conf_text_apply(ctx, &tree, NULL, text, &context, &err)) {
		printed = conf_text(tree, NULL, CONF_PRINT_SECRETS);
		if (!conf_text_apply(ctx, &again, NULL, printed, NULL, &err) || !conf_trees_equal(tree, again, true))
			abort();
		printed_again = conf_text(again, NULL, CONF_PRINT_SECRETS);
		if (strcmp(printed, printed_again))
			abort();
		free(printed_again);
		free(printed);
		/* the context that it ends in can be entered */
		lyd_free_all(again);
		again = NULL;
		if (!conf_text_apply(ctx, &again, context, "", NULL, &err))
			abort();
	} else if (!err.reason[0] || !err.line) {
		abort();
	}
	free(context);
	free(text);
	lyd_free_all(tree);
	lyd_free_all(again);
	return 0;
}
