/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mem - small allocations that do not fail, and two macros every room needs.
 *
 * The x functions log and abort only when the system has no memory left at all. Nothing whose size a
 * peer, a client or a file decides may use them without a bound of its own.
 */
#ifndef LIB_MEM_H
#define LIB_MEM_H

#include <stddef.h>
#include <stdarg.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#ifndef container_of
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#endif

/* All return memory that free() gives back. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);	/* zeroed; count * size is checked for overflow */
void *xrealloc(void *ptr, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t max);
void *xmemdup(const void *p, size_t size);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

#endif
