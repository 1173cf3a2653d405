/* SPDX-License-Identifier: GPL-2.0 */
/*
 * schema - the YANG modules the shell is generated from, and how their nodes look to an operator.
 *
 * The modules of configuration and operations come from the daemon (schema.get), so that shell and daemon always
 * agree; l3vpnsh.yang, the shell's own commands, is part of the program.
 */
#ifndef L3VPNSH_SCHEMA_H
#define L3VPNSH_SCHEMA_H

#include <libyang/libyang.h>
#include <stdbool.h>
#include <stddef.h>

enum where {
	IN_EXEC = 1,
	IN_CONFIGURE = 2,
};

/* An operational command: an rpc. */
struct command {
	const struct lysc_node *rpc;
	const char *words;	/* "show bgp neighbors"; NULL: others turn into it */
	unsigned int where;	/* enum where, or-ed; 0: others turn into it */
	bool local;		/* the shell carries it out */
	bool text;		/* rows are lines */
	bool topic;		/* rows come until stopped */
};

struct schema {
	struct ly_ctx *ctx;
	struct command *commands;
	size_t n_commands;
	struct schema_text {
		char *name, *text;
	} *texts;
	size_t n_texts;
};

struct schema *schema_new(void);
void schema_free(struct schema *s);
/* Remembers a module's text; imports among the texts are found. */
void schema_add(struct schema *s, const char *name, const char *text);
/* Compiles all texts and the shell's own module. false: reason (at most size octets) says why. */
bool schema_build(struct schema *s, char *reason, size_t size);
/* The command of an rpc's name; NULL: none. */
const struct command *schema_command(const struct schema *s, const char *rpc);

/* Argument of an extension (l3vpn-ext's or the shell's): "" when it has none, NULL: not there. */
const char *node_ext(const struct lysc_node *node, const char *name);
/* The words of a node in a line: l3:keyword, or its name. */
const char *node_keyword(const struct lysc_node *node);
/* Its description, or "". */
const char *node_help(const struct lysc_node *node);
bool node_is_key(const struct lysc_node *node);
/* A leaf or leaf-list whose value is taken as the rest of the line: plain strings. */
bool node_takes_rest(const struct lysc_node *node);
/* A leaf without a value on the line. */
bool node_is_flag(const struct lysc_node *node);
/* A leaf that means true when it stands alone. */
bool node_is_boolean(const struct lysc_node *node);

/* The next configuration node below parent (NULL: the top), in schema order; last NULL: the first. */
const struct lysc_node *config_next(const struct schema *s, const struct lysc_node *parent,
				    const struct lysc_node *last);

/*
 * Checks a value against the type. false: reason says what is wrong. What needs the data (leafref)
 * is left to the daemon.
 */
bool value_check(const struct schema *s, const struct lysc_node *leaf, const char *value, char *reason, size_t size);
/* What may stand for a value: "<1-65535>", or NULL where value_words() tells it all. malloc'ed. */
char *value_placeholder(const struct lysc_node *leaf);
/* Each word the type names: enumerations, booleans; unions have those of their members. */
void value_words(const struct lysc_node *leaf, void (*fn)(const char *word, const char *help, void *arg), void *arg);

#endif
