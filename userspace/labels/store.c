// SPDX-License-Identifier: GPL-2.0
/*
 * The file that keeps labels over a restart (labels.h). Text, one binding a line:
 *
 *   l3vpn labels 1
 *   LABEL vrf|ce|prefix|static|ldp|lu|external VRF IFNAME PREFIX          "-" stands for none
 *
 * A journal: a binding's line is appended before forwarding or a peer hears of the label, so that no
 * crash makes the next daemon give a label that others still use to somebody else. A later line counts
 * before an earlier one with the same label or the same owner. What is given back stays until the file
 * has far more lines than there are bindings: then, and at the end, it is written anew, atomically.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "labels/private.h"
#include "lib/log.h"
#include "lib/mem.h"

#define HEADER "l3vpn labels 1\n"
#define LINE_MAX_LEN 256
#define LINES_SPARE 1024		/* that the file may have beyond twice the bindings */

static const char *const owner_names[] = {
	[LABEL_OWNER_VRF] = "vrf",
	[LABEL_OWNER_CE] = "ce",
	[LABEL_OWNER_PREFIX] = "prefix",
	[LABEL_OWNER_STATIC] = "static",
	[LABEL_OWNER_LDP] = "ldp",
	[LABEL_OWNER_LU] = "lu",
	[LABEL_OWNER_EXTERNAL] = "external",
};

static const char *or_dash(const char *s)
{
	return s[0] ? s : "-";
}

/* the line of a binding, its end included; its length */
static int line_of(const struct label_binding *b, char *buf, size_t size)
{
	char p[PREFIX_STRLEN] = "-";

	if (b->key.prefix.addr.family)
		prefix_str(&b->key.prefix, p);
	return snprintf(buf, size, "%u %s %s %s %s\n", b->label, owner_names[b->key.owner], or_dash(b->key.vrf),
			or_dash(b->key.ifname), p);
}

static void trouble(struct labels *l, const char *path)
{
	if (!l->unwritten)
		log_err("labels", "cannot write %s: %s: labels given out now may serve others after a crash", path,
			strerror(errno));
	l->unwritten = true;
	/* all of it again, soon */
	if (!timer_running(&l->save))
		timer_start(&l->save, LABELS_SAVE_MS);
}

void labels_append(struct labels *l, const struct label_binding *b)
{
	char line[LINE_MAX_LEN];
	int len = line_of(b, line, sizeof(line));

	if (!l->path)
		return;
	if (l->journal < 0 || write(l->journal, line, len) != len) {
		trouble(l, l->path);
		return;
	}
	if (++l->lines > 2 * l->count + LINES_SPARE && !timer_running(&l->save))
		timer_start(&l->save, LABELS_SAVE_MS);
}

static bool write_all(struct labels *l, int fd)
{
	struct label_binding *b;
	char line[LINE_MAX_LEN];
	FILE *f = fdopen(dup(fd), "w");
	bool ok = f;

	if (!f)
		return false;
	l->lines = 0;
	fputs(HEADER, f);
	for (b = labels_after(l, -1); b; b = labels_after(l, b->label)) {
		line_of(b, line, sizeof(line));
		fputs(line, f);
		l->lines++;
	}
	ok = !fflush(f) && !ferror(f) && !fsync(fd);
	return !fclose(f) && ok;
}

bool labels_save(struct labels *l)
{
	char *tmp;
	bool ok;
	int fd;

	timer_stop(&l->save);
	if (!l->path)
		return true;
	tmp = xasprintf("%s.new", l->path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	ok = fd >= 0 && write_all(l, fd) && !rename(tmp, l->path);
	if (ok) {
		labels_journal_close(l);
		l->journal = fd;
		l->unwritten = false;
	} else {
		trouble(l, tmp);
		unlink(tmp);
		if (fd >= 0)
			close(fd);
	}
	free(tmp);
	return ok;
}

void labels_journal_close(struct labels *l)
{
	if (l->journal >= 0)
		close(l->journal);
	l->journal = -1;
}

void labels_on_save(struct timer *t)
{
	labels_save(container_of(t, struct labels, save));
}

static bool parse_line(const char *line, uint32_t *label, struct label_key *key)
{
	char owner[9], vrf[32], ifname[16], prefix[PREFIX_STRLEN], end;
	unsigned int i;

	memset(key, 0, sizeof(*key));
	if (sscanf(line, "%u %8s %31s %15s %49s%c", label, owner, vrf, ifname, prefix, &end) != 6 ||
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

static bool read_all(struct labels *l, FILE *f, const char *path, char *why, size_t size)
{
	struct label_key key;
	char line[LINE_MAX_LEN];
	uint32_t label;

	if (!fgets(line, sizeof(line), f) || strcmp(line, HEADER)) {
		snprintf(why, size, "%s:1: not a file of labels", path);
		return false;
	}
	for (l->lines = 0; fgets(line, sizeof(line), f); l->lines++) {
		if (parse_line(line, &label, &key) && label_restore(l, label, &key))
			continue;
		if (!strchr(line, '\n') && feof(f)) {
			log_warn("labels", "%s: the last line was cut short, and is ignored", path);
			break;
		}
		snprintf(why, size, "%s:%u: malformed", path, l->lines + 2);
		/* what was read before stays reserved: it is what forwarding may still hold */
		return false;
	}
	return true;
}

bool labels_load(struct labels *l, const char *path, char *why, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok = true;

	if (!f && errno != ENOENT) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		return false;
	}
	if (f) {
		ok = read_all(l, f, path, why, size);
		fclose(f);
	}
	timer_stop(&l->save);
	if (!ok)
		return false;
	l->path = xstrdup(path);
	labels_save(l);
	return true;
}
