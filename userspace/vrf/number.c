// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers of VRFs (number.h). A name's number comes from the name itself, or is the next free one behind that: so it
 * is the same when the file is lost, unless two names collide.
 *
 * The file is text, one name a line, and only ever appended to until names are forgotten:
 *
 *   l3vpn vrf numbers 1
 *   NUMBER NAME
 */
#include "vrf/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/hash.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "vrf/vrf.h"

#define HEADER "l3vpn vrf numbers 1\n"

struct entry {
	struct hash_node node;
	uint16_t number;
	char name[VRF_NAME_MAX];
};

struct vrf_numbers {
	struct hash by_name;
	uint32_t used[(VRF_NUMBER_MAX + 32) / 32];	/* bits */
	char *path;			/* NULL: kept nowhere */
	bool unwritten;			/* the file lacks some */
};

static bool match(const struct hash_node *n, const void *key)
{
	return !strcmp(hash_entry(n, struct entry, node)->name, key);
}

static struct entry *find(const struct vrf_numbers *n, const char *name)
{
	struct hash_node *found = hash_find(&n->by_name, hash_bytes(name, strlen(name), 0), match, name);

	return found ? hash_entry(found, struct entry, node) : NULL;
}

static bool is_used(const struct vrf_numbers *n, uint32_t number)
{
	return n->used[number / 32] & 1u << number % 32;
}

static void enter(struct vrf_numbers *n, const char *name, uint16_t number)
{
	struct entry *e = xcalloc(1, sizeof(*e));

	snprintf(e->name, sizeof(e->name), "%s", name);
	e->number = number;
	n->used[number / 32] |= 1u << number % 32;
	hash_insert(&n->by_name, &e->node, hash_bytes(name, strlen(name), 0));
}

/* ---- the file ---- */

static void trouble(struct vrf_numbers *n)
{
	if (!n->unwritten)
		log_err("vrf", "cannot write %s: %s: automatic route distinguishers may change with a restart", n->path,
			strerror(errno));
	n->unwritten = true;
}

static bool write_lines(const struct vrf_numbers *n, FILE *f)
{
	struct hash_node *node;

	fputs(HEADER, f);
	for (node = hash_next(&n->by_name, NULL); node; node = hash_next(&n->by_name, node)) {
		const struct entry *e = hash_entry(node, struct entry, node);

		fprintf(f, "%u %s\n", e->number, e->name);
	}
	return !fflush(f) && !ferror(f) && !fsync(fileno(f));
}

/* All of it, at once or not at all. */
static void save(struct vrf_numbers *n)
{
	char *tmp;
	FILE *f;

	if (!n->path)
		return;
	tmp = xasprintf("%s.new", n->path);
	f = fopen(tmp, "we");
	if (f && write_lines(n, f) && !rename(tmp, n->path))
		n->unwritten = false;
	else
		trouble(n);
	if (f)
		fclose(f);
	free(tmp);
}

static void append(struct vrf_numbers *n, const char *name, uint16_t number)
{
	FILE *f;
	bool ok;

	if (!n->path)
		return;
	if (n->unwritten) {
		save(n);
		return;
	}
	f = fopen(n->path, "ae");
	ok = f && fprintf(f, "%u %s\n", number, name) > 0 && !fflush(f);
	if (!ok)
		trouble(n);
	if (f)
		fclose(f);
}

static bool take_line(struct vrf_numbers *n, const char *line)
{
	char name[VRF_NAME_MAX], end;
	unsigned int number;

	_Static_assert(VRF_NAME_MAX == 16, "sscanf() has it in its format");
	if (sscanf(line, "%u %15s%c", &number, name, &end) != 3 || end != '\n')
		return false;
	if (!number || number > VRF_NUMBER_MAX || is_used(n, number) || find(n, name))
		return false;
	enter(n, name, number);
	return true;
}

static bool read_lines(struct vrf_numbers *n, FILE *f, const char *path, char *why, size_t size)
{
	char line[64];
	unsigned int at;

	if (!fgets(line, sizeof(line), f) || strcmp(line, HEADER)) {
		snprintf(why, size, "%s:1: not a file of numbers of VRFs", path);
		return false;
	}
	for (at = 2; fgets(line, sizeof(line), f); at++) {
		if (take_line(n, line))
			continue;
		if (!strchr(line, '\n') && feof(f)) {
			log_warn("vrf", "%s: the last line was cut short, and is ignored", path);
			return true;
		}
		snprintf(why, size, "%s:%u: malformed", path, at);
		return false;
	}
	return true;
}

bool vrf_numbers_load(struct vrf_numbers *n, const char *path, char *why, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok = true;

	if (!f && errno != ENOENT) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		return false;
	}
	if (f) {
		ok = read_lines(n, f, path, why, size);
		fclose(f);
	}
	if (!ok)
		return false;
	n->path = xstrdup(path);
	save(n);
	return true;
}

/* ---- numbers ---- */

/* FNV-1a: the same in every process, which hash_bytes() is not. */
static uint32_t number_of_name(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return (h ^ h >> 16) % VRF_NUMBER_MAX + 1;
}

uint16_t vrf_number_find(const struct vrf_numbers *n, const char *name)
{
	const struct entry *e = find(n, name);

	return e ? e->number : 0;
}

uint16_t vrf_number_get(struct vrf_numbers *n, const char *name, bool (*taken)(void *arg, uint16_t number), void *arg)
{
	uint32_t number = number_of_name(name);
	uint16_t had = vrf_number_find(n, name);

	if (had)
		return had;
	for (uint32_t tries = 0; tries < VRF_NUMBER_MAX; tries++, number = number % VRF_NUMBER_MAX + 1) {
		if (is_used(n, number) || (taken && taken(arg, (uint16_t)number)))
			continue;
		enter(n, name, (uint16_t)number);
		append(n, name, (uint16_t)number);
		return (uint16_t)number;
	}
	return 0;
}

void vrf_numbers_forget(struct vrf_numbers *n, bool (*in_use)(void *arg, const char *name), void *arg)
{
	struct entry **gone = xcalloc(n->by_name.count + 1, sizeof(struct entry *));
	struct hash_node *node;
	uint32_t count = 0;

	for (node = hash_next(&n->by_name, NULL); node; node = hash_next(&n->by_name, node)) {
		struct entry *e = hash_entry(node, struct entry, node);

		if (!in_use(arg, e->name))
			gone[count++] = e;
	}
	while (count) {
		struct entry *e = gone[--count];

		n->used[e->number / 32] &= ~(1u << e->number % 32);
		hash_remove(&n->by_name, &e->node);
		free(e);
	}
	free(gone);
	save(n);
}

uint32_t vrf_numbers_count(const struct vrf_numbers *n)
{
	return n->by_name.count;
}

struct vrf_numbers *vrf_numbers_new(void)
{
	return xcalloc(1, sizeof(struct vrf_numbers));
}

void vrf_numbers_free(struct vrf_numbers *n)
{
	struct hash_node *node;

	while ((node = hash_drain(&n->by_name)))
		free(hash_entry(node, struct entry, node));
	hash_fini(&n->by_name);
	free(n->path);
	free(n);
}
