// SPDX-License-Identifier: GPL-2.0
/* fixture - see fixture.h. */
#include "l3vpnsh/tests/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_file(struct schema *s, const char *name, const char *dir)
{
	char path[512], *text = NULL;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s.yang", SRC_DIR, dir, name);
	f = fopen(path, "r");
	if (!f || getdelim(&text, &size, '\0', f) < 0) {
		perror(path);
		abort();
	}
	fclose(f);
	schema_add(s, name, text);
	free(text);
}

struct schema *fixture_schema(void)
{
	struct schema *s = schema_new();
	char reason[512];

	add_file(s, "l3vpn-ext", "conf/yang");
	add_file(s, "l3vpn", "conf/yang");
	add_file(s, "l3vpn-exec", "mgmt/yang");
	add_file(s, "test-exec", "l3vpnsh/tests");
	if (!schema_build(s, reason, sizeof(reason))) {
		fprintf(stderr, "%s\n", reason);
		abort();
	}
	return s;
}

const struct cand *fixture_cand(const struct cands *c, const char *text)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->v[i].text, text))
			return &c->v[i];
	return NULL;
}
