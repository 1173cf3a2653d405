/* SPDX-License-Identifier: GPL-2.0 */
/*
 * schema - the built-in YANG modules and how each node of them is written. Internal to conf.
 */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include <libyang/libyang.h>
#include <stdbool.h>
#include <stddef.h>

#define CONF_KEYWORD_WORDS 6
#define CONF_KEYS_MAX 8

/* What l3vpn-ext.yang says of a node. */
struct conf_look {
	char *text;			/* keyword, its words ended by NUL */
	const char *word[CONF_KEYWORD_WORDS];
	unsigned int words;		/* 0: the node adds no word */
	const char *mode;		/* name of the mode it opens, or NULL */
	bool positional;		/* leaf: the value stands without the keyword */
	bool secret;
};

struct conf_error;

/* A context with the configuration's modules. NULL: err says. Free with conf_schema_free. */
struct ly_ctx *conf_schema_new(struct conf_error *err);
void conf_schema_free(struct ly_ctx *ctx);
bool conf_schema_add(struct ly_ctx *ctx, const char *name, const char *text, struct conf_error *err);

bool conf_schema_text(size_t i, const char **name, const char **text);	/* i-th built-in module */

/* Never NULL; made at the first use, freed with the context. */
const struct conf_look *conf_look(const struct lysc_node *node);

/* Configuration nodes below parent (NULL: the top nodes of all modules), choices looked through, keys included. */
const struct lysc_node *conf_schema_next(const struct ly_ctx *ctx, const struct lysc_node *parent,
					 const struct lysc_node *last);

/* What a value of this leaf or leaf-list may be, for people: "a number 16..1048575". */
void conf_describe(const struct lysc_node *node, char *buf, size_t size);

bool conf_is_type(const struct lysc_node *node, LY_DATA_TYPE type);
bool conf_is_np(const struct lysc_node *node);		/* container without presence */
/* The node is there for its own sake: not a default, not a container without presence in which nothing is set. */
bool conf_is_set(const struct lyd_node *node);

/* Takes the first error that libyang stored; line only where libyang parsed text. Always false. */
bool conf_error_ly(struct conf_error *err, const struct ly_ctx *ctx, const char *what);
void conf_error_schema(struct conf_error *err, const struct lysc_node *node);	/* sets the path alone */

#endif
