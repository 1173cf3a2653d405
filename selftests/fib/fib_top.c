// SPDX-License-Identifier: GPL-2.0
/* Part of the trie, linked into the test module. */
#include "kernel/fib_top.c"
