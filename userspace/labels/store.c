// SPDX-License-Identifier: GPL-2.0
/*
 * The file that keeps labels over a restart (labels.h). Text, one binding a line:
 *
 *   l3vpn labels 1
 *   LABEL vrf|ce|prefix|static|ldp|lu VRF IFNAME PREFIX          "-" stands for none
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "labels/private.h"
#include "lib/log.h"
#include "lib/mem.h"

#define HEADER "l3vpn labels 1\n"

static const char *const owner_names[] = {
	[LABEL_OWNER_VRF] = "vrf",
	[LABEL_OWNER_CE] = "ce",
	[LABEL_OWNER_PREFIX] = "prefix",
	[LABEL_OWNER_STATIC] = "static",
	[LABEL_OWNER_LDP] = "ldp",
	[LABEL_OWNER_LU] = "lu",
};

static const char *or_dash(const char *s)
{
	return s[0] ? s : "-";
}

static void write_one(FILE *f, const struct label_binding *b)
{
	char p[PREFIX_STRLEN] = "-";

	if (b->key.prefix.addr.family)
		prefix_str(&b->key.prefix, p);
	fprintf(f, "%u %s %s %s %s\n", b->label, owner_names[b->key.owner], or_dash(b->key.vrf),
		or_dash(b->key.ifname), p);
}

bool labels_save(struct labels *l)
{
	struct label_binding *b;
	char *tmp;
	bool ok;
	FILE *f;

	timer_stop(&l->save);
	if (!l->path)
		return true;
	tmp = xasprintf("%s.new", l->path);
	f = fopen(tmp, "we");
	ok = f;
	if (f) {
		fputs(HEADER, f);
		for (b = labels_after(l, -1); b; b = labels_after(l, b->label))
			write_one(f, b);
		ok = !fflush(f) && !ferror(f) && !fsync(fileno(f));
		ok = !fclose(f) && ok;
	}
	if (!ok || rename(tmp, l->path)) {
		log_err("labels", "cannot write %s: %s", tmp, strerror(errno));
		unlink(tmp);
		ok = false;
	}
	free(tmp);
	return ok;
}

void labels_on_save(struct timer *t)
{
	labels_save(container_of(t, struct labels, save));
}

static bool parse_line(const char *line, uint32_t *label, struct label_key *key)
{
	char owner[8], vrf[32], ifname[16], prefix[PREFIX_STRLEN], end;
	unsigned int i;

	memset(key, 0, sizeof(*key));
	if (sscanf(line, "%u %7s %31s %15s %49s%c", label, owner, vrf, ifname, prefix, &end) != 6 ||
	    end != '\n')
		return false;
	for (i = 0; i < ARRAY_SIZE(owner_names) && strcmp(owner, owner_names[i]); i++)
		;
	if (i == ARRAY_SIZE(owner_names))
		return false;
	key->owner = i;
	if (strcmp(vrf, "-"))
		strcpy(key->vrf, vrf);
	if (strcmp(ifname, "-"))
		strcpy(key->ifname, ifname);
	return !strcmp(prefix, "-") || prefix_parse(prefix, &key->prefix);
}

bool labels_load(struct labels *l, const char *path, char *why, size_t size)
{
	struct label_key key;
	unsigned int n = 1;
	uint32_t label;
	char line[256];
	FILE *f;

	f = fopen(path, "re");
	if (!f && errno != ENOENT) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		return false;
	}
	if (f && (!fgets(line, sizeof(line), f) || strcmp(line, HEADER))) {
		snprintf(why, size, "%s:1: not a file of labels", path);
		fclose(f);
		return false;
	}
	while (f && fgets(line, sizeof(line), f)) {
		n++;
		if (parse_line(line, &label, &key) && label_restore(l, label, &key))
			continue;
		snprintf(why, size, "%s:%u: malformed, or label or owner twice", path, n);
		fclose(f);
		/* what was read before stays reserved: it is what forwarding may still hold */
		return false;
	}
	if (f)
		fclose(f);
	timer_stop(&l->save);
	l->path = xstrdup(path);
	return true;
}
