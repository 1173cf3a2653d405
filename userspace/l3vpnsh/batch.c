// SPDX-License-Identifier: GPL-2.0
/* batch - see batch.h. */
#include "l3vpnsh/batch.h"

#include <stdlib.h>
#include <string.h>

#include "l3vpnsh/output.h"
#include "lib/mem.h"

#define BATCH_MAX (1 << 20)	/* octets sent together */

static struct {
	char *text;
	size_t len, size;
	char *context;		/* of the daemon after text; NULL: not the one of the line that came last */
	unsigned int *line;	/* of the script, for each line of text */
	size_t lines;
} batch;

static void put_line(const char *text, size_t len, unsigned int from)
{
	if (batch.len + len + 2 > batch.size) {
		batch.size = 2 * batch.size + len + 4096;
		batch.text = xrealloc(batch.text, batch.size);
	}
	memcpy(batch.text + batch.len, text, len);
	batch.len += len;
	batch.text[batch.len++] = '\n';
	batch.text[batch.len] = '\0';
	/* grows by doubling: lines that are powers of two */
	if (!(batch.lines & (batch.lines - 1)))
		batch.line = xrealloc(batch.line, (batch.lines ? 2 * batch.lines : 1) * sizeof(*batch.line));
	batch.line[batch.lines++] = from;
}

static void put_lines(const char *text, unsigned int from)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		put_line(text, len, from);
		text += len + (text[len] == '\n');
	}
}

static void set_batch_context(char *context)
{
	free(batch.context);
	batch.context = context;
}

static void clear(void)
{
	set_batch_context(NULL);
	free(batch.text);
	free(batch.line);
	memset(&batch, 0, sizeof(batch));
}

bool batch_add(struct shell *sh, const char *context, const struct config_line *line)
{
	bool one = !strchr(line->text, '\n');

	if (!batch.context || strcmp(batch.context, context)) {
		put_lines("root", sh->line);
		put_lines(context, sh->line);
	}
	put_lines(line->text, sh->line);
	if (line->enters)
		set_batch_context(xasprintf("%s%s%s", context, *context ? "\n" : "", line->text));
	else if (!one)
		set_batch_context(NULL);
	else if (batch.context != context)
		set_batch_context(xstrdup(context));
	return batch.len < BATCH_MAX || batch_flush(sh);
}

bool batch_flush(struct shell *sh)
{
	struct mgmt_client_error err;
	unsigned int now = sh->line;
	json_t *result;

	if (!batch.len)
		return true;
	result = shell_call(sh, "config.edit", json_pack("{s:s,s:s}", "text", batch.text, "context", ""), NULL, NULL,
			    &err);
	if (!result) {
		if (err.line && err.line <= batch.lines)
			sh->line = batch.line[err.line - 1];
		shell_refused(sh, &err);
		sh->line = now;
	}
	json_decref(result);
	clear();
	return result;
}
