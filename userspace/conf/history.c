// SPDX-License-Identifier: GPL-2.0
/* history - commits on disk: see history.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/history.h"
#include "lib/log.h"
#include "lib/mem.h"

#define FILE_MAX (64u << 20)	/* a configuration file larger than this is not one */

struct commit {
	struct conf_commit_info info;
	char *text;		/* NULL: on disk */
};

struct conf_history {
	char *dir;
	struct commit *commit;	/* oldest first */
	unsigned int count;
	uint64_t next_id;
};

/* ---- files ---- */

static bool failed(struct conf_error *err, const char *path, const char *what)
{
	if (err)
		err->kind = CONF_FAILED;
	return conf_error(err, path, "cannot %s: %s", what, strerror(errno));
}

char *conf_read_file(const char *path, bool *missing, struct conf_error *err)
{
	struct stat st;
	size_t used = 0;
	ssize_t n = 1;
	char *text;
	int fd;

	*missing = false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		*missing = errno == ENOENT;
		failed(err, path, "open");
		return NULL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		conf_error(err, path, "not a regular file of at most %u bytes", FILE_MAX);
		close(fd);
		return NULL;
	}
	text = xmalloc(st.st_size + 1);
	while (used < (size_t)st.st_size && n > 0) {
		n = read(fd, text + used, st.st_size - used);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			used += n;
	}
	close(fd);
	text[used] = 0;
	if (n < 0 || strlen(text) != used) {
		if (n < 0)
			failed(err, path, "read");
		else
			conf_error(err, path, "holds a NUL byte: not a text file");
		free(text);
		return NULL;
	}
	return text;
}

static bool write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			text += n;
			left -= n;
		}
	}
	return true;
}

/* The name of a file is on disk only after its folder is. */
static bool sync_folder(const char *path)
{
	char *dir = xstrdup(path), *slash = strrchr(dir, '/');
	bool ok;
	int fd;

	if (slash)
		slash[slash == dir] = 0;
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	free(dir);
	return ok;
}

bool conf_write_file(const char *path, const char *text, struct conf_error *err)
{
	char *tmp = xasprintf("%s.new", path);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok = fd >= 0 && fchmod(fd, 0600) == 0 && write_all(fd, text) && fsync(fd) == 0;

	if (fd >= 0 && close(fd) < 0)
		ok = false;
	ok = ok && rename(tmp, path) == 0 && sync_folder(path);
	if (!ok) {
		failed(err, path, "write");
		unlink(tmp);
	}
	free(tmp);
	return ok;
}

/* ---- the folder ---- */

static char *commit_path(const struct conf_history *h, uint64_t id)
{
	return xasprintf("%s/%08" PRIu64 ".conf", h->dir, id);
}

static void copy_line(char *buf, size_t size, const char *s)
{
	snprintf(buf, size, "%.*s", (int)strcspn(s, "\n"), s);
}

/* Facts are "! name value" lines at the start; returns where they end. */
static const char *read_facts(const char *text, struct conf_commit_info *info)
{
	while (!strncmp(text, "! ", 2)) {
		const char *s = text + 2;

		if (!strncmp(s, "commit ", 7))
			info->id = strtoull(s + 7, NULL, 10);
		else if (!strncmp(s, "time ", 5))
			info->time = strtoll(s + 5, NULL, 10);
		else if (!strncmp(s, "owner ", 6))
			copy_line(info->owner, sizeof(info->owner), s + 6);
		else if (!strncmp(s, "comment ", 8))
			copy_line(info->comment, sizeof(info->comment), s + 8);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return text;
}

static int by_id(const void *a, const void *b)
{
	const struct commit *x = a, *y = b;

	return x->info.id < y->info.id ? -1 : x->info.id > y->info.id;
}

static void append(struct conf_history *h, const struct conf_commit_info *info, const char *text)
{
	h->commit = xrealloc(h->commit, (h->count + 1) * sizeof(*h->commit));
	h->commit[h->count++] = (struct commit){ .info = *info, .text = text ? xstrdup(text) : NULL };
	if (info->id >= h->next_id)
		h->next_id = info->id + 1;
}

static void drop_oldest(struct conf_history *h)
{
	if (h->dir) {
		char *path = commit_path(h, h->commit[0].info.id);

		unlink(path);
		free(path);
	}
	free(h->commit[0].text);
	h->count--;
	memmove(h->commit, h->commit + 1, h->count * sizeof(*h->commit));
}

static void load(struct conf_history *h, const char *name)
{
	struct conf_commit_info info = { 0 };
	char *path, *text, *end;
	uint64_t id = strtoull(name, &end, 10);
	bool missing;

	if (end == name || strcmp(end, ".conf"))
		return;
	path = xasprintf("%s/%s", h->dir, name);
	text = conf_read_file(path, &missing, NULL);
	if (text)
		read_facts(text, &info);
	if (!text || info.id != id)
		log_warn("conf", "%s is not a commit of ours: left alone", path);
	else
		append(h, &info, NULL);
	free(text);
	free(path);
}

struct conf_history *conf_history_open(const char *dir, struct conf_error *err)
{
	struct conf_history *h = xcalloc(1, sizeof(*h));
	struct dirent *entry;
	DIR *d;

	h->next_id = 1;
	if (!dir)
		return h;
	h->dir = xasprintf("%s/commits", dir);
	if ((mkdir(dir, 0750) < 0 && errno != EEXIST) || (mkdir(h->dir, 0700) < 0 && errno != EEXIST)) {
		failed(err, h->dir, "make");
		conf_history_close(h);
		return NULL;
	}
	d = opendir(h->dir);
	if (!d) {
		failed(err, h->dir, "open");
		conf_history_close(h);
		return NULL;
	}
	while ((entry = readdir(d)))
		load(h, entry->d_name);
	closedir(d);
	if (h->count)
		qsort(h->commit, h->count, sizeof(*h->commit), by_id);
	while (h->count > CONF_HISTORY)
		drop_oldest(h);
	return h;
}

void conf_history_close(struct conf_history *h)
{
	if (!h)
		return;
	for (unsigned int i = 0; i < h->count; i++)
		free(h->commit[i].text);
	free(h->commit);
	free(h->dir);
	free(h);
}

/* One line of comment. */
static void flatten(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < ' ')
			*s = ' ';
	}
}

bool conf_history_add(struct conf_history *h, struct conf_commit_info *info, const char *text,
		      struct conf_error *err)
{
	char *path, *whole;
	bool ok = true;

	info->id = h->next_id;
	flatten(info->owner);
	flatten(info->comment);
	if (h->dir) {
		path = commit_path(h, info->id);
		whole = xasprintf("! commit %" PRIu64 "\n! time %" PRId64 "\n! owner %s\n! comment %s\n%s", info->id,
				  info->time, info->owner, info->comment, text);
		ok = conf_write_file(path, whole, err);
		free(whole);
		free(path);
	}
	if (!ok)
		return false;
	append(h, info, h->dir ? NULL : text);
	if (h->count > CONF_HISTORY)
		drop_oldest(h);
	return true;
}

void conf_history_undo(struct conf_history *h)
{
	struct commit *c = &h->commit[h->count - 1];

	if (h->dir) {
		char *path = commit_path(h, c->info.id);

		unlink(path);
		free(path);
	}
	free(c->text);
	h->count--;
}

unsigned int conf_history_count(const struct conf_history *h)
{
	return h->count;
}

const struct conf_commit_info *conf_history_get(const struct conf_history *h, unsigned int n)
{
	return n < h->count ? &h->commit[h->count - 1 - n].info : NULL;
}

char *conf_history_text(const struct conf_history *h, unsigned int n, struct conf_error *err)
{
	struct conf_commit_info info = { 0 };
	const struct commit *c;
	char *path, *whole, *text;
	bool missing;

	if (n >= h->count) {
		conf_error(err, NULL, "there are %u commits to go back, not %u", h->count ? h->count - 1 : 0, n);
		return NULL;
	}
	c = &h->commit[h->count - 1 - n];
	if (c->text)
		return xstrdup(c->text);
	path = commit_path(h, c->info.id);
	whole = conf_read_file(path, &missing, err);
	free(path);
	if (!whole)
		return NULL;
	text = xstrdup(read_facts(whole, &info));
	free(whole);
	return text;
}
