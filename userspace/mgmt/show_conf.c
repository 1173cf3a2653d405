// SPDX-License-Identifier: GPL-2.0
/* show_conf - show configuration ..., in text form, a line a row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/mem.h"
#include "mgmt/server.h"

/* What is being shown; made by the first call. */
struct text_cursor {
	char *text;
	const char *at;
};

static void text_free(void *state)
{
	free(((struct text_cursor *)state)->text);
}

/* The text, which is taken, is what this request shows. */
static void text_begin(struct mgmt_request *req, char *text)
{
	struct text_cursor *cur = mgmt_state(req, sizeof(*cur), text_free);

	cur->text = text;
	cur->at = text;
}

static bool text_begun(struct mgmt_request *req)
{
	struct text_cursor *cur = mgmt_state(req, sizeof(*cur), text_free);

	return cur->text != NULL;
}

static enum mgmt_next text_rows(struct mgmt_request *req)
{
	struct text_cursor *cur = mgmt_state(req, sizeof(*cur), text_free);

	if (!cur->text)
		return mgmt_error(req, MGMT_FAILED, NULL, "no memory for the text");
	while (*cur->at) {
		size_t len = strcspn(cur->at, "\n");
		json_t *row = json_pack("{s:s%}", "line", cur->at, len);

		cur->at += len;
		cur->at += *cur->at == '\n';
		if (!mgmt_row(req, row))
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

static enum mgmt_next show_running(struct mgmt_request *req, void *arg)
{
	const struct lyd_node *in = mgmt_input(req), *tree = conf_running(mgmt_conf(req));
	unsigned int flags = conf_exists(in, "secrets") ? CONF_PRINT_SECRETS : 0;

	if (!text_begun(req))
		text_begin(req, conf_exists(in, "json") ? conf_json(tree, flags) : conf_text(tree, NULL, flags));
	return text_rows(req);
}

static enum mgmt_next no_candidate(struct mgmt_request *req)
{
	return mgmt_error(req, MGMT_STATE, NULL, "this session is not configuring");
}

static enum mgmt_next show_candidate(struct mgmt_request *req, void *arg)
{
	struct conf_candidate *cand = mgmt_candidate(req);

	if (!text_begun(req)) {
		if (!cand)
			return no_candidate(req);
		text_begin(req, conf_text(conf_candidate_tree(cand), NULL, 0));
	}
	return text_rows(req);
}

static enum mgmt_next show_changes(struct mgmt_request *req, void *arg)
{
	struct conf_candidate *cand = mgmt_candidate(req);

	if (!text_begun(req)) {
		if (!cand)
			return no_candidate(req);
		text_begin(req, conf_changes_text(conf_running(mgmt_conf(req)), conf_candidate_tree(cand), 0));
	}
	return text_rows(req);
}

static enum mgmt_next show_differences(struct mgmt_request *req, void *arg)
{
	struct conf_candidate *cand = mgmt_candidate(req);
	struct conf *conf = mgmt_conf(req);
	uint32_t commits = conf_u32(mgmt_input(req), "commits", 0);
	struct conf_error err = { 0 };
	struct lyd_node *before;

	if (text_begun(req))
		return text_rows(req);
	if (commits) {
		if (!conf_history_tree(conf, commits, &before, &err))
			return mgmt_error(req, MGMT_NOT_FOUND, err.path, "%s", err.reason);
		text_begin(req, conf_differences(before, conf_running(conf), 0));
		lyd_free_all(before);
	} else {
		if (!cand)
			return no_candidate(req);
		text_begin(req, conf_differences(conf_running(conf), conf_candidate_tree(cand), 0));
	}
	return text_rows(req);
}

static enum mgmt_next show_history(struct mgmt_request *req, void *arg)
{
	unsigned int *n = mgmt_state(req, sizeof(*n), NULL);
	struct conf_commit_info info;

	while (conf_history(mgmt_conf(req), *n, &info)) {
		time_t sec = info.time;
		char when[32];
		struct tm tm;

		gmtime_r(&sec, &tm);
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
		if (!mgmt_row(req, json_pack("{s:i,s:I,s:s,s:s,s:s}", "back", (*n)++, "id", (json_int_t)info.id,
					     "time", when, "owner", info.owner, "comment", info.comment)))
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

void show_conf_register(struct mgmt *mgmt, struct conf *conf)
{
	mgmt_register(mgmt, "show-running-config", show_running, NULL);
	mgmt_register(mgmt, "show-configuration-running", show_running, NULL);
	mgmt_register(mgmt, "show-configuration-candidate", show_candidate, NULL);
	mgmt_register(mgmt, "show-configuration-changes", show_changes, NULL);
	mgmt_register(mgmt, "show-configuration-differences", show_differences, NULL);
	mgmt_register(mgmt, "show-configuration-history", show_history, NULL);
}
