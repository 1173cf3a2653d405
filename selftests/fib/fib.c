// SPDX-License-Identifier: GPL-2.0
/* The trie itself, linked into the test module. */
#include "kernel/fib.c"
