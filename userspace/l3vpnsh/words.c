// SPDX-License-Identifier: GPL-2.0
/* words - see words.h. */
#include "l3vpnsh/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/mem.h"

static bool escapable(char c)
{
	return c && strchr("\\\"'| \t", c);
}

/* One word from p; writes its text to out (room for end - p + 1). Returns the first character after it. */
static const char *word_take(const char *p, const char *end, char *out, struct words *w)
{
	char quote = *p == '"' || *p == '\'' ? *p++ : 0;

	w->open = true;
	for (; p < end; p++) {
		if (quote ? *p == quote : isspace((unsigned char)*p)) {
			w->open = false;
			break;
		}
		if (*p == '\\' && quote != '\'' && p + 1 < end && escapable(p[1]))
			p++;
		*out++ = *p;
	}
	*out = '\0';
	if (quote && p == end)
		w->unbalanced = true;
	return quote && p < end ? p + 1 : p;
}

void words_split(const char *line, size_t len, struct words *w)
{
	const char *p = line, *end = line + len;

	memset(w, 0, sizeof(*w));
	for (;;) {
		struct word *word;

		while (p < end && isspace((unsigned char)*p))
			p++;
		if (p == end)
			break;
		w->v = xrealloc(w->v, (w->n + 1) * sizeof(*w->v));
		word = &w->v[w->n++];
		word->at = p - line;
		word->quoted = *p == '"' || *p == '\'';
		word->text = xmalloc(end - p + 1);
		p = word_take(p, end, word->text, w);
	}
	if (len && isspace((unsigned char)end[-1]) && !w->unbalanced)
		w->open = false;
}

void words_free(struct words *w)
{
	for (int i = 0; i < w->n; i++)
		free(w->v[i].text);
	free(w->v);
	memset(w, 0, sizeof(*w));
}

size_t stage_length(const char *line)
{
	bool start = true;
	char quote = 0;
	const char *p;

	for (p = line; *p; p++) {
		if (quote) {
			if (*p == '\\' && quote == '"' && escapable(p[1]))
				p++;
			else if (*p == quote)
				quote = 0;
			continue;
		}
		if (*p == '|')
			break;
		if (start && (*p == '"' || *p == '\''))
			quote = *p;
		else if (*p == '\\' && escapable(p[1]))
			p++;
		start = isspace((unsigned char)*p);
	}
	return p - line;
}

int stage_count(const char *line)
{
	int n = 1;

	for (line += stage_length(line); *line; line += stage_length(line)) {
		n++;
		line++;
	}
	return n;
}

const char *stage_get(const char *line, int n, size_t *len)
{
	for (; n > 0; n--) {
		line += stage_length(line);
		if (!*line)
			return NULL;
		line++;
	}
	*len = stage_length(line);
	while (*len && isspace((unsigned char)*line)) {
		line++;
		(*len)--;
	}
	while (*len && isspace((unsigned char)line[*len - 1]))
		(*len)--;
	return line;
}

char *word_quote(const char *text)
{
	char *quoted, *out;
	const char *p;

	if (*text && !strpbrk(text, " \t\"'\\|!#"))
		return xstrdup(text);
	quoted = out = xmalloc(2 * strlen(text) + 3);
	*out++ = '"';
	for (p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			*out++ = '\\';
		*out++ = *p;
	}
	*out++ = '"';
	*out = '\0';
	return quoted;
}

int word_match(const char *typed, const char *keyword)
{
	size_t len = strlen(typed);

	if (!len || strncasecmp(typed, keyword, len))
		return 0;
	return keyword[len] ? 1 : 2;
}
