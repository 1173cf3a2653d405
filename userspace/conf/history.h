/* SPDX-License-Identifier: GPL-2.0 */
/*
 * history - the newest CONF_HISTORY commits, each a file STATE/commits/ID.conf with its facts as comments and
 * the whole
 * configuration, secrets included (mode 0600), in text form. Files appear by an atomic rename after an fsync.
 * Internal to conf.
 */
#ifndef CONF_HISTORY_H
#define CONF_HISTORY_H

#include "conf/conf.h"

struct conf_history;

/* dir NULL: kept in memory alone. NULL: err says. */
struct conf_history *conf_history_open(const char *dir, struct conf_error *err);
void conf_history_close(struct conf_history *h);

/* Adds a commit; fills info->id. text: the configuration, with secrets. */
bool conf_history_add(struct conf_history *h, struct conf_commit_info *info, const char *text,
		      struct conf_error *err);
/* Forgets the newest, which could not be carried out. */
void conf_history_undo(struct conf_history *h);
unsigned int conf_history_count(const struct conf_history *h);
const struct conf_commit_info *conf_history_get(const struct conf_history *h, unsigned int n);
/* Configuration text after the n-th newest commit, malloc'ed. */
char *conf_history_text(const struct conf_history *h, unsigned int n, struct conf_error *err);

/* A whole file, malloc'ed; NULL with err, or with *missing set when there is none. */
char *conf_read_file(const char *path, bool *missing, struct conf_error *err);
/* Atomic: the old content or the new, on disk when it returns. Mode 0600. */
bool conf_write_file(const char *path, const char *text, struct conf_error *err);

#endif
