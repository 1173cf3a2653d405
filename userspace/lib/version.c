// SPDX-License-Identifier: GPL-2.0
/* The version built: the one file that sees it, so that a new commit recompiles nothing else. */
#include "lib/log.h"

const char l3vpn_version[] = VERSION_STRING;
